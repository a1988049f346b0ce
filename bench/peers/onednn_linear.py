"""torch.nn.Linear whose float32 products are oneDNN's: PyTorch's own are MKL's, which reach half the rate of oneDNN's on AMD processors."""
import torch

product = torch.ops.mkldnn._linear_pointwise  # x (..., K), w (N, K), b (N) or None -> x w' + b; transposed views cost nothing


class Dense(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return product(x, w, b, "none", [], "")

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        rows = dy.reshape(-1, dy.shape[-1])
        dx = product(dy, w.t(), None, "none", [], "") if ctx.needs_input_grad[0] else None
        dw = product(rows.t(), x.reshape(-1, x.shape[-1]).t(), None, "none", [], "") if ctx.needs_input_grad[1] else None
        return dx, dw, rows.sum(0) if ctx.needs_input_grad[2] else None


class Linear(torch.nn.Linear):
    def forward(self, x):
        return Dense.apply(x, self.weight, self.bias)


def use_onednn(module):
    """Turns every Linear of a module into one of these, in place."""
    for part in module.modules():
        if type(part) is torch.nn.Linear:
            part.__class__ = Linear
    return module
