"""Claims of the papers, stated before they are tested: ``experiments/claims.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from softshare.reproduction.described import digest_of

FILE = "claims.toml"


@dataclass(frozen=True)
class Claim:
    """One claim, and by which numbers it is judged.

    What is judged is a *gain*, a number of every seed that is above 0 where the claim points: how
    much better the contestant's measure is than that of what it is compared with. With a baseline
    this is the paired difference of two runs of one seed, which had the same data, start and budget
    of steps. Without one it is the distance to a fixed number, ``bound``.

    Args:
        id: begins with the experiment's name, such as ``"dmtrl/table-2/tucker"``.
        text: the claim, in words of our own.
        case: in which it is judged.
        contestant: what is claimed to be better, or at least not worse.
        baseline: than what; None: than ``bound``.
        measure: of the experiment, ``NAME/KEY`` for one of several values.
        direction: which values are better.
        published: the difference that the paper has, above 0 for a gain; None where the paper shows
            no number.
        smallest: the smallest gain that counts, above 0; or 0 and below where *not worse* is
            claimed: so much may be lost.
        bound: the number that is not to be passed, where there is no baseline.
        control: the case in which the gain must vanish; None: the claim is none of a gain.
        seeds: planned.
        deviations: how the test departs from what the paper did.
    """

    id: str
    text: str
    case: str
    contestant: str
    measure: str
    direction: Literal["lower", "higher"]
    smallest: float
    seeds: Annotated[int, Field(ge=3)]
    baseline: str | None = None
    published: float | None = None
    bound: float | None = None
    control: str | None = None
    deviations: tuple[str, ...] = ()

    @property
    def experiment(self) -> str:
        """The name of the experiment that it is of."""
        return self.id.rpartition("/")[0]

    @property
    def digest(self) -> str:
        """Stands in every record that serves the claim: a claim that is changed afterwards is
        another one.
        """
        return digest_of(self)

    def serves(
        self,
        case: str,
        contestant: str,
    ) -> bool:
        """Whether a run of this contestant in this case is counted for the claim."""
        return case in (self.case, self.control) and contestant in (self.contestant, self.baseline)


def read_claims(folder: Path) -> tuple[Claim, ...]:
    """The claims of an experiments folder.

    Raises:
        ValueError: the file cannot be read as claims; the message says which and why.
    """
    path = folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
    claims = []
    for table in content.get("claim", []):
        try:
            claims.append(_claim(table))
        except ValueError as error:
            raise ValueError(f"{path}: claim {table.get('id', 'without an id')}: {error}") from None
    ids = [claim.id for claim in claims]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise ValueError(f"{path}: claims of one id: {', '.join(repeated)}")
    return tuple(claims)


def _claim(table: Mapping[str, Any]) -> Claim:
    known = {field.name for field in fields(Claim)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise ValueError(f"no field {unknown[0]!r}; the fields are {', '.join(sorted(known))}")
    try:
        claim = TypeAdapter(Claim).validate_python(table)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ValueError(f"{wrong['loc'][0]}: {wrong['msg']}") from None
    _check(claim)
    return claim


def _check(claim: Claim) -> None:
    if "/" not in claim.experiment:
        raise ValueError("id must be PAPER/PLACE/NAME, such as 'dmtrl/table-2/tucker'")
    if (claim.baseline is None) == (claim.bound is None):
        raise ValueError("give a baseline or a bound, and not both")
    if claim.published is not None and claim.published < claim.smallest:
        raise ValueError(
            f"published {claim.published:g} is below smallest {claim.smallest:g}: what counts must "
            "not be more than what is claimed"
        )
