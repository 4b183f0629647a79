#!/usr/bin/env python3
"""Prove that the suite can fail: run it on every mutant of the reference plugin (mutants.def).

    prove.py SUITE REFERENCE.so [--jobs N] [--table FILE] [MUTANT...]

Each mutant must be noticed by a case of the group that mutants.def predicts. The table lists which cases notice which
mutants, and the cases that notice none ("unproven"). Exit status 1 when a mutant survives or the null plugins pass an
operator case.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FINE = ("PASS", "NOT_SUPPORTED")
FATAL = range(97, 102)  # these take the worker with them, case by case: a part of the list is enough


def mutants():
    text = open(os.path.join(HERE, "mutants.def")).read()
    return [(int(n), name, group) for n, name, group in re.findall(r"^MUTANT\((\d+), (\w+), (\w+)\)", text, re.M)]


def judge(suite, reference, number, folder):
    plugin = os.path.join(folder, f"reference-{number}.so")
    lines = os.path.join(folder, f"{number}.jsonl")
    shutil.copy(reference, plugin)
    part = ["--case", "operator.Conv.3x3*,operator.Relu.*,memory.*"] if number in FATAL else []
    subprocess.run([suite, "--plugin", plugin, "--level", "L2", "--timeout-scale", "0.1", "--results", lines] + part,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900)
    with open(lines) as f:
        results = [record for record in map(json.loads, f) if "case" in record]
    os.remove(plugin)
    return results


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("suite")
    ap.add_argument("reference")
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("--table")
    ap.add_argument("only", nargs="*", type=int)
    a = ap.parse_args()

    wanted = [m for m in mutants() if not a.only or m[0] in a.only]
    killers, bad, seen = collections.defaultdict(list), [], set()
    with tempfile.TemporaryDirectory() as folder:
        with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
            runs = {pool.submit(judge, a.suite, a.reference, m[0], folder): m for m in [(0, "correct", "")] + wanted}
            for run in concurrent.futures.as_completed(runs):
                number, name, group = runs[run]
                results = run.result()
                seen |= {r["case"] for r in results}
                failed = [r for r in results if r["status"] not in FINE]
                if number == 0:
                    bad += [f"the correct plugin fails {r['case']}: {r['text']}" for r in failed]
                    continue
                for r in failed:
                    killers[r["case"]].append(number)
                if not any(r["group"] == group for r in failed):
                    where = sorted({r["group"] for r in failed}) or ["nowhere"]
                    bad.append(f"mutant {number} {name}: expected in group {group}, noticed {', '.join(where)}")
                if name.startswith("null_"):
                    passed = [r["case"] for r in results if r["group"] == "operator" and r["status"] == "PASS"]
                    # What these answers are right for: empty tensors, zeros, and values that go through unchanged.
                    right = {"null_zero": ("ConstantOfShape.zeros",),
                             "null_echo": ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat.one",
                                           "ReduceSum.noop", "Sum.one", "Tile.ones", "Expand.row")}
                    passed = [c for c in passed if not any(r in c for r in right.get(name, ()) + ("empty",))]
                    bad += [f"{name} passes {c}" for c in passed]
    unproven = sorted(seen - set(killers))
    if a.table:
        with open(a.table, "w") as f:
            for case in sorted(killers):
                f.write(f"{case}: {' '.join(map(str, sorted(killers[case])))}\n")
            f.write("unproven: " + " ".join(unproven) + "\n")
    print("\n".join(sorted(bad)))
    share = 100 * len(unproven) / max(1, len(seen))
    print(f"{len(wanted)} mutants, {len(bad)} complaints; {len(unproven)} of {len(seen)} cases ({share:.0f} %) unproven")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
