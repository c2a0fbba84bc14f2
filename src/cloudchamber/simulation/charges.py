"""Electric charges by the numbering of particles of the Particle Data Group (Review of Particle Physics, section 45).

The digits of a hadron's number are those of its quarks, so that no table of particles is needed.
"""

import numpy as np

__all__ = ["charges"]

# In thirds of the charge of a positron.
_THIRDS = {1: -1, 2: 2, 3: -1, 4: 2, 5: -1, 6: 2, 7: -1, 8: 2}
_ELEMENTARY = {**_THIRDS, **dict.fromkeys((11, 13, 15, 17), -3), **dict.fromkeys((24, 34, 37), 3)}
_PARTNERS, _NUCLEI = 1_000_000, 1_000_000_000
# Leading digits of a hidden valley, and the digit of a gluino in a hadron.
_HIDDEN_VALLEY, _GLUINO = 49, 9


def charges(pid: np.ndarray) -> np.ndarray:
    """Return (N,) int32 charges [e] of particles (N,), those of quarks cut to whole numbers as in Delphes files.

    Numbers that generators use as they like (41 to 100) count as neutral.
    """
    kinds, kind = np.unique(pid, return_inverse=True)
    thirds = np.array([_thirds(int(number)) for number in kinds])
    whole: np.ndarray = np.trunc(thirds / 3).astype(np.int32)
    return whole[kind]


def _thirds(pid: int) -> int:
    size, sign = abs(pid), 1 if pid > 0 else -1
    if size >= _NUCLEI:
        return 3 * sign * (size // 10_000 % 1000)
    if size // 100_000 == _HIDDEN_VALLEY:
        return sign * _ELEMENTARY.get(size % 100_000, 0)
    # Partners and excitations of elementary particles have their number in the last two digits.
    if size % 1_000_000 < 100:
        return sign * _ELEMENTARY.get(size % 1_000_000, 0)
    first, second, third = (_THIRDS.get(size // place % 10) for place in (1000, 100, 10))
    if second is None:
        return 0
    if first is not None:
        return sign * (first + second + (third or 0))
    if third is None:
        return 0
    # The heavier quark of a meson is the quark where it is of up type, or the partner of one, else the antiquark.
    is_quark = size // 100 % 2 == 0 or (size >= _PARTNERS and size // 1000 % 10 != _GLUINO)
    return sign * (second - third if is_quark else third - second)
