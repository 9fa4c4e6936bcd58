"""Fisher."""

from math import prod

from torch import Tensor

from harness.passes.minibatch import LayerOutputs
from harness.passes.transfer import numbers
from harness.proxies.contract import proxy


@proxy(labels=True)
def fisher(outputs: LayerOutputs) -> float:
    """Σ_l |w_l| / C_l · Σ_c ½ mean_n (Σ_hw a ⊙ ∂L/∂a)²: what removing a channel would cost.

    a is the raw output of each convolution or linear layer, before norm and activation; the tokens
    of a transformer are positions. Each channel's value counts once per weight of the channel, as
    in the published scores; a layer that is called several times adds its calls.

    Source: Turner et al. 2020, "BlockSwap"; as a proxy: Abdelfattah et al. 2021.
    """
    channels = numbers([_channels(call.output, call.gradient) for call in outputs.calls])
    weights = [prod(call.weight_shape[1:]) for call in outputs.calls]
    return sum(weight * value / 2 for weight, value in zip(weights, channels, strict=True))


def _channels(output: Tensor, gradient: Tensor) -> Tensor:
    product = output * gradient
    if output.dim() == 3:  # tokens, N×L×C
        product = product.sum(dim=1)
    elif output.dim() > 3:
        product = product.flatten(2).sum(dim=2)
    return product.square().mean(dim=0).double().sum()
