"""The reference step and the small Shakespeare model in PyTorch, as a user would write them, without torch.compile.

torch_step.py step FOLDER THREADS STEPS          one JSON line: msPerStep, cpuMsPerStep, losses, peakRssBytes, version, blas
torch_step.py shakespeare FOLDER THREADS STEPS   one JSON line: seconds, losses, validLoss (null before the last step of the recipe), version, blas

FOLDER holds what the caller wrote: step.json, weights.safetensors, tokens.i32 and so on.
"""

import ctypes
import json
import math
import os
import re
import resource
import struct
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


def read_safetensors(path):
    """Tensors of an f32 safetensors file by name."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + place for place in entry["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(data[start:end]), dtype=torch.float32).view(entry["shape"])
    return tensors


def read_indices(path):
    with open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.int32).long()


def blas_name():
    """The library that computes the products, and the kernels it chose."""
    torch.mm(torch.ones(64, 64), torch.ones(64, 64))
    with open("/proc/self/maps") as file:
        paths = sorted({path for path in re.findall(r"/\S+", file.read()) if re.search(r"blas|mkl", path)})
    for path in paths:
        library = ctypes.CDLL(path)
        if hasattr(library, "openblas_get_config"):
            library.openblas_get_config.restype = ctypes.c_char_p
            library.openblas_get_corename.restype = ctypes.c_char_p
            config = library.openblas_get_config().decode().split()
            return " ".join(config[:2]) + " kernels " + library.openblas_get_corename().decode()
    return ", ".join(os.path.basename(path) for path in paths) or "unknown"


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class RmsNorm(nn.Module):
    def __init__(self, gain):
        super().__init__()
        self.gain = nn.Parameter(gain)

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.gain


def linear(weight):
    """A layer without bias from a matrix [in, out]."""
    layer = nn.Linear(weight.shape[0], weight.shape[1], bias=False)
    layer.weight = nn.Parameter(weight.t().contiguous())
    return layer


class LlamaLayer(nn.Module):
    def __init__(self, config, weights, at):
        super().__init__()
        self.heads = config["heads"]
        self.attention_norm = RmsNorm(weights[f"{at}.attention.gain"])
        self.query = linear(weights[f"{at}.attention.query"])
        self.key = linear(weights[f"{at}.attention.key"])
        self.value = linear(weights[f"{at}.attention.value"])
        self.out = linear(weights[f"{at}.attention.out"])
        self.mlp_norm = RmsNorm(weights[f"{at}.mlp.gain"])
        self.gate = linear(weights[f"{at}.mlp.gate"])
        self.up = linear(weights[f"{at}.mlp.up"])
        self.down = linear(weights[f"{at}.mlp.down"])

    def turned(self, x, cosine, sine):
        # The caller put the even channels of a head before the odd ones.
        first, second = x.chunk(2, -1)
        return x * cosine + torch.cat((-second, first), -1) * sine

    def forward(self, x, cosine, sine, mask):
        batch, time_, width = x.shape
        h = self.attention_norm(x)
        q, k, v = (
            layer(h).view(batch, time_, self.heads, -1).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        q, k = self.turned(q, cosine, sine), self.turned(k, cosine, sine)
        scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(q.shape[-1])) + mask
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time_, width)
        x = x + self.out(mixed)
        m = self.mlp_norm(x)
        return x + self.down(F.silu(self.gate(m)) * self.up(m))


class Llama(nn.Module):
    def __init__(self, config, weights):
        super().__init__()
        time_, per_head = config["context"], config["width"] // config["heads"]
        self.tokens = nn.Embedding.from_pretrained(weights["tokens"], freeze=False)
        self.layers = nn.ModuleList(LlamaLayer(config, weights, f"layer{i}") for i in range(config["layers"]))
        self.final_norm = RmsNorm(weights["final.gain"])
        self.head = linear(weights["head"])
        frequencies = 10000.0 ** (-torch.arange(0, per_head, 2).double() / per_head)
        angles = (torch.arange(time_).double()[:, None] * frequencies).repeat(1, 2)
        self.register_buffer("cosine", angles.cos().float())
        self.register_buffer("sine", angles.sin().float())
        self.register_buffer("mask", torch.full((time_, time_), float("-inf")).triu(1))

    def forward(self, tokens):
        x = self.tokens(tokens)
        for layer in self.layers:
            x = layer(x, self.cosine, self.sine, self.mask)
        return self.head(self.final_norm(x))


def adamw(model, recipe):
    """Weight decay on everything with two axes, as in the recipe."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": recipe["weightDecay"]},
        {"params": others, "weight_decay": 0.0},
    ]
    betas = (recipe["beta1"], recipe["beta2"])
    return torch.optim.AdamW(groups, lr=recipe["learningRate"], betas=betas, eps=recipe["epsilon"])


def step(folder, threads, steps):
    baseline = peak_bytes()
    with open(os.path.join(folder, "step.json")) as file:
        plan = json.load(file)
    config, recipe, warm_up = plan["config"], plan["recipe"], plan["warmUp"]
    model = Llama(config, read_safetensors(os.path.join(folder, "weights.safetensors")))
    optimizer = adamw(model, recipe)
    shape = (warm_up + steps, recipe["batch"], config["context"])
    inputs = read_indices(os.path.join(folder, "inputs.i32")).view(shape)
    targets = read_indices(os.path.join(folder, "targets.i32")).view(shape)
    losses, walls, cpus = [], [], []
    for i in range(warm_up + steps):
        wall, cpu = time.perf_counter(), cpu_seconds()
        logits = model(inputs[i])
        loss = F.cross_entropy(logits.view(-1, logits.shape[-1]), targets[i].view(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if i >= warm_up:
            walls.append((time.perf_counter() - wall) * 1000)
            cpus.append((cpu_seconds() - cpu) * 1000)
    return {
        "msPerStep": min(walls),
        "cpuMsPerStep": min(cpus),
        "losses": losses,
        "peakRssBytes": peak_bytes() - baseline,
    }


class GptLayer(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.mlp_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        self.register_buffer("hidden", torch.ones(context, context, dtype=torch.bool).triu(1))

    def forward(self, x):
        batch, time_, width = x.shape
        q, k, v = (
            part.view(batch, time_, self.heads, -1).transpose(1, 2)
            for part in self.query_key_value(self.attention_norm(x)).split(width, 2)
        )
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
        weights = scores.masked_fill(self.hidden[:time_, :time_], float("-inf")).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(batch, time_, width))
        return x + self.down(F.gelu(self.up(self.mlp_norm(x))))


class Gpt(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, layers = config["width"], config["layers"]
        self.tokens = nn.Embedding(config["vocabulary"], width)
        self.positions = nn.Embedding(config["context"], width)
        self.layers = nn.ModuleList(GptLayer(width, config["heads"], config["context"]) for _ in range(layers))
        self.final_norm = nn.LayerNorm(width)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                writes = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers) if writes else 0.02)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return F.linear(self.final_norm(x), self.tokens.weight)


def rate_of(recipe, i):
    """Linear warm-up, then a cosine down to the floor."""
    peak, floor, warm_up, steps = (recipe[key] for key in ("learningRate", "floor", "warmupSteps", "steps"))
    if i < warm_up:
        return peak * (i + 1) / warm_up
    done = min(1.0, (i - warm_up) / max(1, steps - warm_up))
    return floor + (peak - floor) * 0.5 * (1 + math.cos(math.pi * done))


def shakespeare(folder, threads, steps):
    with open(os.path.join(folder, "shakespeare.json")) as file:
        plan = json.load(file)
    config, recipe = plan["config"], plan["recipe"]
    train = read_indices(os.path.join(folder, "train.i32"))
    valid = read_indices(os.path.join(folder, "valid.i32"))
    torch.manual_seed(1337)
    model = Gpt(config)
    optimizer = adamw(model, recipe)
    batch, context = recipe["batch"], config["context"]
    losses = []
    started, cpu = time.perf_counter(), cpu_seconds()
    for i in range(steps):
        places = torch.randint(len(train) - context, (batch,))
        inputs = torch.stack([train[place : place + context] for place in places])
        targets = torch.stack([train[place + 1 : place + 1 + context] for place in places])
        for group in optimizer.param_groups:
            group["lr"] = rate_of(recipe, i)
        loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), recipe["clip"])
        optimizer.step()
        losses.append(loss.item())
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - cpu
    valid_loss = None
    if steps >= recipe["steps"]:
        count = (len(valid) - 1) // context
        with torch.no_grad():
            inputs = valid[: count * context].view(count, context)
            targets = valid[1 : count * context + 1].view(count, context)
            parts = [
                F.cross_entropy(model(inputs[i : i + 64]).flatten(0, 1), targets[i : i + 64].flatten(), reduction="sum").item()
                for i in range(0, count, 64)
            ]
        valid_loss = sum(parts) / (count * context)
    return {"seconds": seconds, "cpuSeconds": cpu, "losses": losses, "validLoss": valid_loss}


def main():
    what, folder, threads, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    result = {"step": step, "shakespeare": shakespeare}[what](folder, threads, steps)
    print(json.dumps({**result, "version": torch.__version__, "blas": blas_name()}))


main()
