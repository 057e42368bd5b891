"""The files of Office-Caltech10, and their checksums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from softshare.data.public import PublicFile, PublicSet

Features = Literal["surf", "googlenet"]

_FOLDER = "office_caltech10"
_LISTS_HOME = "https://raw.githubusercontent.com/thuml/MTlearn/master/data/office"


def _mat(
    folder: str,
    domain: str,
    size: int,
    sha256: str,
) -> PublicFile:
    return PublicFile(f"{_FOLDER}/{folder}/{domain}.mat", size, content=f"sha256:{sha256}")


IMAGES = {
    domain: PublicFile(f"{_FOLDER}/images/{domain}.zip", size)
    for domain, size in {
        "amazon": 4_156_646,
        "caltech10": 5_798_568,
        "dslr": 834_250,
        "webcam": 1_603_346,
    }.items()
}
"""Members ``DOMAIN/CLASS/FILE.jpg``; copies differ in size and quality, so their number in each
class is compared.
"""

FEATURES: Mapping[Features, Mapping[str, PublicFile]] = {
    "surf": {
        "amazon": _mat(
            "surf",
            "amazon",
            104_970,
            "df32548b994e18d364c99e1f317e1fae100597259f0423a41b90f4f68187bb1f",
        ),
        "caltech10": _mat(
            "surf",
            "caltech10",
            150_751,
            "4f9334c8ced489d5054de97a5fd51a61f017f3bcd1f38c9a85c6d78cb9d7bda5",
        ),
        "dslr": _mat(
            "surf",
            "dslr",
            18_348,
            "44d673c68e1d07b837893aa74dba3b986e4a6cc3fd66f0dd357683bdef059216",
        ),
        "webcam": _mat(
            "surf",
            "webcam",
            32_406,
            "a6a9c78b4b7181dfbb58bcfd351d4ebd737f171c31247b8884948aa156d3f700",
        ),
    },
    "googlenet": {
        "amazon": _mat(
            "googlenet1024",
            "amazon",
            3_931_880,
            "bae9ee6e8f7ca305120dd970f2c90471f4ef8dda4cb2ad2404c38bb26cb56ba9",
        ),
        "dslr": _mat(
            "googlenet1024",
            "dslr",
            644_576,
            "5f7c6211581f846b7b5534429fb62bfb7e490e88aacfc8bee97eb0b0224dbd89",
        ),
        "webcam": _mat(
            "googlenet1024",
            "webcam",
            1_210_928,
            "57774bbdf97433b5fb5a6333e302f077444c069537138b60ef417f48ee65d296",
        ),
    },
}
"""Counts of 800 visual words, and activations of a trained network (not published for caltech10).
"""

LISTS = {
    name: PublicFile(
        f"{_FOLDER}/mtlearn_lists/{name}.txt",
        100_000,
        f"{_LISTS_HOME}/{name}.txt",
        f"sha256:{sha256}",
        f"sha256:{sha256}",
    )
    for name, sha256 in {
        "amazon/train_5": "2ddc6a52a5297d38f12fdef9d58c5f21d095c4b5dec3229425e3ca52ad3ae0c1",
        "amazon/train_10": "2874d609ba2bddd8adf6d257a4afcf2e56d0766cdf4ad31deea7d18cc513649d",
        "amazon/train_20": "526b0f0735900ef77f80f8432cd939af44a252693e09f3e62383fb7a440ec1cf",
        "amazon/test_5": "13f59715c543a3b17930dccb77207b4f14c5ea1b46358857c72a1906c2a89f52",
        "amazon/test_10": "08e77f2d96e7c44fa0322773fa145c72d4ee38cba3f887c8fcbad286014f711e",
        "amazon/test_20": "bd72ccf82deddbb080e238b270763d471260647d615f9e3092f8c716f14d45f8",
        "c/train_5": "77a9331c1ff7dc166bd6c4ebe9f3127c9de9f67987b21cf665e4578ad3ec42a6",
        "c/train_10": "438d9a2e38311d67dfdd0c95c021337a023826b016551f05510a35b14da7ed21",
        "c/train_20": "9043a5b21919036d4f85c438b365fe3c69a6e1bfba826341874382031b3aec98",
        "c/test_5": "9a1ed0820124b58ae1e845b2de912f08f6c8f003e050a6a7e21475b6e433ede2",
        "c/test_10": "6c8a7782e6e752b6e772b2c845bb7fac8e69ca5f9d3a5dbbe374596aeefab107",
        "c/test_20": "37cc88f8936644e4e91a020255066073d03af40eb7d1beeb79a7176fd3c970c2",
        "dslr/train_5": "f61d479d2124c1ce3e41b0e22653097dc52ec905cf69b7e0cadbc96a30563113",
        "dslr/train_10": "ad9b602fc953cc8011ed62643167c2e723e1190f909ce4572edf7ce9169b59cf",
        "dslr/train_20": "9d90996983dff877e34c5de76b188d27871b3a3af8d3fa482dc303ddb9844e75",
        "dslr/test_5": "6fa829247bd561a5945b6c629bf6a8fe06f7734ef95773f40689663449484495",
        "dslr/test_10": "6fa829247bd561a5945b6c629bf6a8fe06f7734ef95773f40689663449484495",
        "dslr/test_20": "0ef870c3bdcd0aa388ee62c9657d6947a77a607e1acf699760753602dc0f70b7",
        "webcam/train_5": "a4d0bbd2483ea06d30169d26db8fbaff9f66e9e3ea49a8e5bfa5ffe8f92cdeed",
        "webcam/train_10": "2a576bfdbb886a59540233ba4b04a960575ac99603ef8ee94afa6b43505bc696",
        "webcam/train_20": "8094937e49868327ef0a318adad20aa3a398d8607fcfa1cb1a300c795999b57b",
        "webcam/test_5": "509cdee6ec75c43135ad0133b7ee080930e1382b248cee45b6e8e2af5f4518e2",
        "webcam/test_10": "509cdee6ec75c43135ad0133b7ee080930e1382b248cee45b6e8e2af5f4518e2",
        "webcam/test_20": "3e163ff4e81af6f063217616844f409dd3b4d0196f73586e5b34d67f7df40b83",
    }.items()
}
"""The images that train and test in the MRN paper (Long et al. 2017), ``DOMAIN/PART_SHARE``; domain
``c`` is caltech10.
"""

SET = PublicSet(
    name="office-caltech",
    title="photographs of ten kinds of objects from four domains, 2,533 images",
    paper="Gong, Shi, Sha & Grauman 2012",
    licence="",
    home="https://github.com/redhat12345/OfficeCaltechDomainAdaptation",
    files=(
        *IMAGES.values(),
        *FEATURES["surf"].values(),
        *FEATURES["googlenet"].values(),
        *LISTS.values(),
    ),
)
