#!/usr/bin/env python3
"""Prove that the suite can fail: run it on every mutant of the reference plugin (mutants.def).

    prove.py SUITE REFERENCE.so [--jobs N] [--write] [MUTANT...]

Each mutant must be noticed by a case of the group that mutants.def predicts; the null plugins may pass no operator
case; in the variants, which are right in other ways, nothing may be noticed; at most 15 % of the cases may notice nothing ("unproven"). --write updates src/proof.def, which the suite shows
with each case: all of it, or what is said of the mutants that are named. Exit status 1 when something does not hold.
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
TABLE = os.path.join(HERE, "..", "src", "proof.def")
FINE = ("PASS", "NOT_SUPPORTED")
MOST_UNPROVEN = 0.15
# What the null plugins' answers are right for: empty tensors, zeros, and values that go through unchanged.
RIGHT = {"null_zero": ("ConstantOfShape.zeros",),
         "null_echo": ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat.one", "ReduceSum.noop",
                       "Sum.one", "Tile.ones", "Expand.row")}


def mutants():
    text = open(os.path.join(HERE, "mutants.def")).read()
    rows = re.findall(r"^(?:MUTANT|VARIANT)\((\d+), (\w+)(?:, (\w+))?\)", text, re.M)
    return [(int(n), name, group) for n, name, group in rows]


def fatal(number):
    """These take the worker with them, case by case: a part of the list is enough."""
    return 97 <= number <= 101


def judge(suite, reference, number, folder):
    plugin = os.path.join(folder, f"reference-{number}.so")
    lines = os.path.join(folder, f"{number}.jsonl")
    shutil.copy(reference, plugin)
    part = ["--case", "operator.Conv.3x3*,operator.Relu.*,memory.*"] if fatal(number) else []
    subprocess.run([suite, "--plugin", plugin, "--level", "L3", "--timeout-scale", "0.1", "--results", lines] + part,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900)
    with open(lines) as f:
        results = [record for record in map(json.loads, f) if "case" in record]
    os.remove(plugin)
    return [r for r in results if "case" in r]


def complaints(number, name, group, results):
    failed = [r for r in results if r["status"] not in FINE]
    if not group:
        out = [f"the {name} plugin is right and fails {r['case']}: {r['text']}" for r in failed]
        if name.startswith("declares_") and not any("declares" in r["text"] for r in results):
            out.append(f"{name} is named in no record")
        return out
    out = []
    if not any(r["group"] == group for r in failed):
        where = sorted({r["group"] for r in failed}) or ["nowhere"]
        out.append(f"mutant {number} {name}: expected in group {group}, noticed {', '.join(where)}")
    if name.startswith("null_"):
        right = RIGHT.get(name, ()) + ("empty",)
        out += [f"{name} passes {r['case']}" for r in results if r["group"] == "operator" and r["status"] == "PASS" and
                not any(word in r["case"] for word in right)]
    return out


def read_table():
    table = collections.defaultdict(set)
    for case, numbers in re.findall(r'^PROVEN\("([^"]+)", "([^"]*)"\)', open(TABLE).read(), re.M):
        table[case] = {int(n) for n in numbers.split()}
    return table


def write_table(table):
    head = open(TABLE).readline()
    with open(TABLE, "w") as f:
        f.write(head)
        for case in sorted(table):
            if table[case]:
                f.write(f'PROVEN("{case}", "{" ".join(map(str, sorted(table[case])))}")\n')


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("suite")
    ap.add_argument("reference")
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("--write", action="store_true", help="update src/proof.def")
    ap.add_argument("only", nargs="*", type=int)
    a = ap.parse_intermixed_args()

    wanted = [m for m in mutants() if not a.only or m[0] in a.only]
    table = read_table() if a.only else collections.defaultdict(set)
    bad, seen = [], set()
    for numbers in table.values():
        numbers -= {m[0] for m in wanted}
    with tempfile.TemporaryDirectory() as folder:
        with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
            runs = {pool.submit(judge, a.suite, a.reference, m[0], folder): m for m in [(0, "correct", "")] + wanted}
            for run in concurrent.futures.as_completed(runs):
                number, name, group = runs[run]
                results = run.result()
                seen |= {r["case"] for r in results}
                bad += complaints(number, name, group, results)
                for r in results:
                    if group and r["status"] not in FINE:
                        table[r["case"]].add(number)
    table = {case: numbers for case, numbers in table.items() if case in seen}
    unproven = sorted(case for case in seen if not table.get(case))
    share = len(unproven) / max(1, len(seen))
    if share > MOST_UNPROVEN:
        bad.append(f"unproven: {' '.join(unproven)}")
    if a.write:
        write_table(table)
    group_of = {number: group for number, _, group in mutants()}
    own = sum(any(group_of[n] == case.split(".")[0] for n in numbers) for case, numbers in table.items())
    print("\n".join(sorted(bad)))
    print(f"{sum(bool(m[2]) for m in wanted)} mutants, {len(bad)} complaints; {len(unproven)} of {len(seen)} cases ({100 * share:.0f} %) "
          f"unproven; {own} are proven by a mutant of their own group")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
