#!/usr/bin/env python3
"""Train the digits classifier of the demo and write digits.onnx, images.npy and labels.txt beside this file.

    pip install numpy onnx scikit-learn && ./train.py

A two-layer CNN in plain numpy on scikit-learn's copy of the UCI digits (1,797 images of 8x8 pixels, values 0..16).
The last 100 images of a seeded shuffle are never trained on; they are what images.npy holds, one float image
[1, 8, 8] a row. The same seed and package versions give the same files.
"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

SEED, TEST, BATCH, EPOCHS = 7, 100, 64, 40
HERE = os.path.dirname(os.path.abspath(__file__))


def columns(x):
    """[n, c, h, w] -> [n, h*w, c*9]: the 3x3 neighbourhoods of every pixel, zero outside."""
    n, c, h, w = x.shape
    p = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    parts = [p[:, :, i:i + h, j:j + w] for i in range(3) for j in range(3)]
    return np.stack(parts, 2).reshape(n, c * 9, h * w).transpose(0, 2, 1)


def scatter(cols, shape):
    """The transpose of columns(): gradients of neighbourhoods back to pixels."""
    n, c, h, w = shape
    g = cols.transpose(0, 2, 1).reshape(n, c, 9, h, w)
    p = np.zeros((n, c, h + 2, w + 2), cols.dtype)
    for k in range(9):
        p[:, :, k // 3:k // 3 + h, k % 3:k % 3 + w] += g[:, :, k]
    return p[:, :, 1:-1, 1:-1]


class Net:
    def __init__(self, rng):
        he = lambda *s: (rng.standard_normal(s) * np.sqrt(2 / np.prod(s[1:]))).astype(np.float32)
        self.p = {"w1": he(16, 9), "b1": np.zeros(16, np.float32), "w2": he(32, 144), "b2": np.zeros(32, np.float32),
                  "w3": he(10, 512), "b3": np.zeros(10, np.float32)}

    def forward(self, x):
        p, n = self.p, len(x)
        self.x, self.c1 = x, columns(x)
        self.a1 = np.maximum(self.c1 @ p["w1"].T + p["b1"], 0)
        self.h1 = self.a1.transpose(0, 2, 1).reshape(n, 16, 8, 8)
        self.c2 = columns(self.h1)
        self.a2 = np.maximum(self.c2 @ p["w2"].T + p["b2"], 0)
        maps = self.a2.transpose(0, 2, 1).reshape(n, 32, 4, 2, 4, 2)
        self.pooled = maps.max((3, 5))
        self.won = maps == self.pooled[:, :, :, None, :, None]
        self.flat = self.pooled.reshape(n, 512)
        return self.flat @ p["w3"].T + p["b3"]

    def gradients(self, d):
        p, n, g = self.p, len(d), {}
        g["w3"], g["b3"] = d.T @ self.flat, d.sum(0)
        d = (d @ p["w3"]).reshape(n, 32, 4, 1, 4, 1) * self.won
        d = d.reshape(n, 32, 64).transpose(0, 2, 1) * (self.a2 > 0)
        g["w2"], g["b2"] = np.einsum("npo,npk->ok", d, self.c2), d.sum((0, 1))
        d = scatter(d @ p["w2"], self.h1.shape).reshape(n, 16, 64).transpose(0, 2, 1) * (self.a1 > 0)
        g["w1"], g["b1"] = np.einsum("npo,npk->ok", d, self.c1), d.sum((0, 1))
        return g


def train(x, y, rng):
    net, m, v, step = Net(rng), {}, {}, 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        for at in range(0, len(x), BATCH):
            pick = order[at:at + BATCH]
            z = net.forward(x[pick])
            e = np.exp(z - z.max(1, keepdims=True))
            d = e / e.sum(1, keepdims=True)
            d[np.arange(len(pick)), y[pick]] -= 1
            step += 1
            for k, g in net.gradients(d / len(pick)).items():  # Adam
                m[k] = 0.9 * m.get(k, 0) + 0.1 * g
                v[k] = 0.999 * v.get(k, 0) + 0.001 * g * g
                rate = 2e-3 * (1 - epoch / EPOCHS)
                net.p[k] = net.p[k] - rate * (m[k] / (1 - 0.9 ** step)) / (np.sqrt(v[k] / (1 - 0.999 ** step)) + 1e-8)
    return net


def model_of(p):
    weights = {"conv1.weight": p["w1"].reshape(16, 1, 3, 3), "conv1.bias": p["b1"],
               "conv2.weight": p["w2"].reshape(32, 16, 3, 3), "conv2.bias": p["b2"],
               "dense.weight": p["w3"], "dense.bias": p["b3"]}
    node = helper.make_node
    graph = helper.make_graph(
        [node("Conv", ["image", "conv1.weight", "conv1.bias"], ["c1"], "conv1", pads=[1, 1, 1, 1]),
         node("Relu", ["c1"], ["r1"], "relu1"),
         node("Conv", ["r1", "conv2.weight", "conv2.bias"], ["c2"], "conv2", pads=[1, 1, 1, 1]),
         node("Relu", ["c2"], ["r2"], "relu2"),
         node("MaxPool", ["r2"], ["m"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
         node("Flatten", ["m"], ["f"], "flatten"),
         node("Gemm", ["f", "dense.weight", "dense.bias"], ["logits"], "dense", transB=1),
         node("Softmax", ["logits"], ["probability"], "softmax", axis=1)],
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 10])],
        [numpy_helper.from_array(np.ascontiguousarray(w, np.float32), k) for k, w in weights.items()])
    model = helper.make_model(graph, producer_name="halyard", opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def main():
    digits, rng = load_digits(), np.random.default_rng(SEED)
    order = rng.permutation(len(digits.target))
    x, y = digits.images[order].astype(np.float32)[:, None], digits.target[order]
    scale = np.float32(1 / 16)
    net = train(x[:-TEST] * scale, y[:-TEST], rng)
    net.p["w1"] = net.p["w1"] * scale  # the model takes pixels as they are
    right = int((net.forward(x[-TEST:]).argmax(1) == y[-TEST:]).sum())
    onnx.save(model_of(net.p), os.path.join(HERE, "digits.onnx"))
    np.save(os.path.join(HERE, "images.npy"), x[-TEST:])
    with open(os.path.join(HERE, "labels.txt"), "w") as f:
        f.writelines(f"{label}\n" for label in y[-TEST:])
    print(f"{right} of {TEST} right")


if __name__ == "__main__":
    main()
