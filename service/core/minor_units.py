"""The smallest unit of each currency (ISO 4217, "minor unit"): the cent, the para, the fils.

Babel knows how many decimals are shown, which is something else: nobody shows the para of a Serbian dinar, and it is
counted all the same.
"""

_DECIMALS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def decimals(code: str | None) -> int:
    """Return how many decimals an amount in the smallest unit of a currency has; 2 for one that is not known."""
    return _DECIMALS.get(code or "", 2)


def written(units: int, digits: int) -> str:
    """Return an amount that is counted in its smallest unit: 12990 with 2 digits behind the point is `129.90`."""
    figures = str(abs(units)).rjust(digits + 1, "0")
    amount = f"{figures[:-digits]}.{figures[-digits:]}" if digits else figures
    return f"-{amount}" if units < 0 else amount
