"""A LoRA training step of an SD3 transformer in diffusers with PEFT, on the CPU: what a user would pick instead.

Usage: diffusers_lora.py MODEL PRECISION BATCH RANK ROUNDS
MODEL is one of Atelier's diffusion models, whose configuration and weights are diffusers' own; PRECISION is fp32 or
bf16 (autocast). Latents, texts and noise are drawn, as ours are. Prints one JSON line:
{"precision": …, "ms": …, "trainable": …, "rss_mb": …}, the best of the rounds.
"""

import contextlib
import json
import pathlib
import resource
import sys
import time

import torch
from diffusers import SD3Transformer2DModel
from peft import LoraConfig
from safetensors.torch import load_file

MODULES = "attn.to_q attn.to_k attn.to_v attn.to_out.0 attn.add_q_proj attn.add_k_proj attn.add_v_proj attn.to_add_out"


def main():
    folder, precision = pathlib.Path(sys.argv[1]), sys.argv[2]
    batch, rank, rounds = map(int, sys.argv[3:6])
    torch.set_num_threads(2)
    torch.manual_seed(0)
    configuration = json.loads((folder / "config.json").read_text())
    sizes = configuration["transformer"]
    sizes.setdefault("out_channels", sizes["in_channels"])
    sizes["caption_projection_dim"] = sizes["attention_head_dim"] * sizes["num_attention_heads"]
    model = SD3Transformer2DModel(**sizes)
    weights = load_file(folder / "transformer.safetensors")
    model.load_state_dict({name: weight.float() for name, weight in weights.items()}, strict=False)
    model.requires_grad_(False)
    model.add_adapter(LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=MODULES.split()))
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=1e-3, weight_decay=0.01)
    side = sizes["sample_size"]
    latents = torch.randn(batch, sizes["in_channels"], side, side)
    text = torch.randn(batch, configuration["textLength"], sizes["joint_attention_dim"])
    pooled = torch.randn(batch, sizes["pooled_projection_dim"])
    cast = contextlib.nullcontext if precision == "fp32" else lambda: torch.autocast("cpu", dtype=torch.bfloat16)
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        noise = torch.randn_like(latents)
        share = torch.sigmoid(torch.randn(batch))
        noised = latents + share.view(-1, 1, 1, 1) * (noise - latents)
        with cast():
            flow = model(
                hidden_states=noised,
                encoder_hidden_states=text,
                pooled_projections=pooled,
                timestep=1000 * share,
            ).sample
        (flow.float() - (noise - latents)).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        best = min(best, time.perf_counter() - start)
    figure = {
        "precision": precision,
        "ms": round(best * 1e3, 2),
        "trainable": sum(weight.numel() for weight in learning),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(figure))


if __name__ == "__main__":
    main()
