from .evgeniou_pontil import EvgeniouPontil as EvgeniouPontil
from .go_mtl import GOMTL as GOMTL
from .l21 import L21 as L21
from .mtfl import MTFL as MTFL
from .mtrl import MTRL as MTRL
from .rmtl import RMTL as RMTL
from .trace_norm import TraceNormLinear as TraceNormLinear
