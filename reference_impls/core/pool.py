"""The pool: an ordered list of models."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from reference_impls.core.model import Floats, Model, TokenModel
from reference_impls.core.suggest import nearest


class Pool:
    """Models in a fixed order; methods name a model by its position.

    Args:
        models: at least one; names differ.
        parallel: opens a block in which calls to different models count as running side by side (set by the meter).

    Raises:
        ValueError: no model, or two of the same name.
    """

    def __init__(
        self, models: Sequence[Model], parallel: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self._models = tuple(models)
        self.parallel = parallel
        if not self._models:
            raise ValueError("a pool needs at least one model")
        if len(set(self.names)) < len(self._models):
            raise ValueError(f"two models of a pool have the same name: {', '.join(self.names)}")

    def __len__(self) -> int:
        return len(self._models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models)

    def __getitem__(self, index: int) -> Model:
        return self._models[index]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(model.name for model in self._models)

    def index(self, name: str) -> int:
        """Position of a model.

        Raises:
            ValueError: no such model; the message names the nearest one.
        """
        if name not in self.names:
            raise ValueError(f"no model {name!r} in the pool{nearest(name, self.names)}")
        return self.names.index(name)

    @property
    def prices(self) -> Floats:
        """US dollars per million completion tokens, [models]; all 0 where one is unknown, as that model would else
        pass for the cheapest or the dearest.
        """
        prices = np.array([model.price.completion for model in self._models])
        return np.zeros(len(self)) if np.isnan(prices).any() else prices

    def by_price(self) -> list[int]:
        """Positions from the cheapest to the dearest model; equal prices by name, whatever the pool's order."""
        prices = self.prices
        return sorted(range(len(self)), key=lambda i: (prices[i], self[i].name))

    def token_models(self) -> list[TokenModel]:
        """All models as token models.

        Raises:
            TypeError: a model gives no token distributions (answers only).
        """
        models = []
        for model in self._models:
            if not isinstance(model, TokenModel):
                raise TypeError(f"the model {model.name!r} gives no token distributions, which this method needs")
            models.append(model)
        return models
