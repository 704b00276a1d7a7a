"""What a model's tokens cost: as the configuration says, else by genai-prices' offline table, else unknown."""

from __future__ import annotations

from reference_impls.core.model import Price
from reference_impls.recording.config import ModelConfig, Prices

_TOKENS = 1000
"""Of the call whose price is asked for. Prices that rise with the length of a prompt are those of short ones."""


def price_of(model: ModelConfig) -> Price | None:
    """US dollars per million tokens; None where they are not known.

    A vendor's price is taken only where the address is the vendor's: the same model costs another sum elsewhere.

    Raises:
        ModuleNotFoundError: the price is to be looked up, and genai-prices is not installed.
    """
    if isinstance(model.price, Prices):
        return Price(model.price.prompt, model.price.completion, model.price.cached)
    from genai_prices import Usage, calc_price  # noqa: PLC0415 (optional)

    def of(**tokens: int) -> float | None:
        try:
            found = calc_price(Usage(**tokens), model.served, provider_api_url=model.base_url)
        except LookupError:
            return None
        return float(found.total_price) * 1e6 / _TOKENS

    prompt, completion = of(input_tokens=_TOKENS), of(output_tokens=_TOKENS)
    if prompt is None or completion is None:
        return None
    return Price(prompt, completion, of(input_tokens=_TOKENS, cache_read_tokens=_TOKENS))
