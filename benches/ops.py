"""PyTorch's side of ops.rs: median ms of the blocks of the LeNet, forward, and forward with backward.

    python benches/ops.py        # needs torch; batch 128, f32, as many threads as PyTorch takes
"""
import torch
import torch.nn.functional as F

from timing import median

BATCH = 128


def bench(name, f, leaves):
    grad = torch.randn_like(f())

    def both():
        for leaf in leaves:
            leaf.grad = None
        f().backward(grad)

    with torch.no_grad():
        forward = median(f)
    print(f"{name:32} forward {forward:6.1f}  both {median(both):6.1f}", flush=True)


def weight(*shape):
    return torch.nn.Parameter(torch.randn(*shape) / 30)


def block(name, c_in, c_out, size, transposed, up, pool):
    """Upsampling, convolution, batch norm, LeakyReLU, pooling: of an image of `size` before them."""
    xs = torch.randn(BATCH, c_in, size, size, requires_grad=c_in > 3)
    kernel = weight(c_in, c_out, 5, 5) if transposed else weight(c_out, c_in, 5, 5)
    norm = torch.nn.BatchNorm2d(c_out)

    def f():
        wide = F.interpolate(xs, scale_factor=up) if up > 1 else xs
        conv = F.conv_transpose2d if transposed else F.conv2d
        ys = F.leaky_relu(norm(conv(wide, kernel, padding=2)), 0.01)
        return F.max_pool2d(ys, pool) if pool > 1 else ys

    bench(name, f, [xs, kernel, norm.weight, norm.bias])


def linear(name, inputs, outputs):
    xs, kernel = torch.randn(BATCH, inputs, requires_grad=True), weight(outputs, inputs)
    bench(name, lambda: F.linear(xs, kernel), [xs, kernel])


def out():
    xs, kernel = torch.randn(BATCH, 32, 16, 16, requires_grad=True), weight(32, 3, 5, 5)
    wide = lambda: F.interpolate(xs, scale_factor=2)
    bench("upsample, conv-t 32-3 32x32", lambda: F.conv_transpose2d(wide(), kernel, padding=2), [xs, kernel])


def adam():
    """All weights of the encoder."""
    shapes = [(32, 3, 5, 5), (64, 32, 5, 5), (128, 64, 5, 5), (128, 2048)]
    weights = [weight(*shape) for shape in shapes]
    for w in weights:
        w.grad = torch.randn_like(w)
    optimiser = torch.optim.Adam(weights, lr=1e-4, weight_decay=1e-3)
    print(f"{'adam':32} {median(optimiser.step):6.1f}", flush=True)


if __name__ == "__main__":
    block("block conv 3-32 32x32 pool", 3, 32, 32, False, 1, 2)
    block("block conv 32-64 16x16 pool", 32, 64, 16, False, 1, 2)
    block("block conv 64-128 8x8 pool", 64, 128, 8, False, 1, 2)
    linear("linear 2048-128", 2048, 128)
    block("block conv-t 8-128 4x4", 8, 128, 4, True, 1, 1)
    block("block conv-t 128-64 8x8", 128, 64, 4, True, 2, 1)
    block("block conv-t 64-32 16x16", 64, 32, 8, True, 2, 1)
    out()
    adam()
