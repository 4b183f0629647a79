#!/usr/bin/env python3
"""Prove that the suite's own judgement is tested: mutants of the comparator's and the oracle's source.

    prove_source.py BUILD [--sample N] [FILE...]

Each mutant turns one relation, sign, constant or condition of src/compare.c (all of them) or of the src/oracle_*.c (a
sample of N, the same at each run) and is compiled into a suite of its own. compare.c's must fail the comparator's
self-test, the correct reference plugin, or pass a wrong one; the oracle's must fail a case on the reference plugin. Exit status 1 below 95 % and 90 %. Survivors are listed:
some of them mean the same as the original.
"""
import argparse
import concurrent.futures
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src")
TURNS = [(r" <= ", [" < ", " > "]), (r" < ", [" <= ", " >= "]), (r" >= ", [" > ", " < "]), (r" > ", [" >= ", " <= "]),
         (r" == ", [" != "]), (r" != ", [" == "]), (r" && ", [" || "]), (r" \|\| ", [" && "]),
         (r" \+ ", [" - "]), (r" - ", [" + "]), (r" \* ", [" / "]), (r" / ", [" * "]), (r" \+= ", [" -= "]),
         (r"return true;", ["return false;"]), (r"return false;", ["return true;"]), (r"\b0x1p-", ["0x1p-1"]),
         (r"(?<=[ (])4(?= \*)", ["2", "8"])]


def code_of(text):
    """The text with comments, strings and preprocessor lines blanked, so that offsets stay."""
    blank = lambda m: re.sub(r"[^\n]", "\0", m.group())
    text = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|^#.*?$|\*\)|\(\*', blank, text, flags=re.S | re.M)
    return re.sub(r"^.*(?:used|printf|declared\[0\]).*$", blank, text, flags=re.M)  # texts, not judgements


def mutants(name, last):
    text = open(os.path.join(SOURCE, name)).read()
    code = code_of(text)
    end = code.find(last) if last else len(code)
    for pattern, others in TURNS:
        for match in re.finditer(pattern, code[:end]):
            line = text.count("\n", 0, match.start()) + 1
            for other in others:
                changed = text[:match.start()] + other + text[match.end():]
                yield name, line, f"{match.group().strip()} to {other.strip()}", changed


class Build:
    def __init__(self, folder):
        self.folder = folder
        run = lambda target: subprocess.run(["ninja", "-C", folder, "-t", "commands", target], capture_output=True,
                                            text=True, check=True).stdout.splitlines()
        commands = run("bin/halyard-conformance")
        self.compile = {re.search(r"src/(\w+\.c)$", c).group(1): c for c in commands if re.search(r"-c .*/conformance/src/\w+\.c$", c)}
        self.link = next(c for c in reversed(commands) if "-o bin/halyard-conformance" in c)

    def suite(self, name, text, folder):
        source, thing, suite = (os.path.join(folder, n) for n in (name, name + ".o", "halyard-conformance"))
        open(source, "w").write(text)
        original = re.search(r"(?<=-c )\S+$", self.compile[name]).group()
        line = re.sub(r"-MD -MT \S+ -MF \S+ -o \S+", "-w -o " + thing, self.compile[name]).replace(original, source)
        line = re.sub(r"-Werror", "", re.sub(r"^\S*ccache ", "", line))
        if subprocess.run(line, shell=True, cwd=self.folder, capture_output=True).returncode != 0:
            return None
        line = self.link.replace("-o bin/halyard-conformance", f"{thing} -o {suite}")
        return suite if subprocess.run(line, shell=True, cwd=self.folder, capture_output=True).returncode == 0 else None


def noticed(build, name, text):
    """None: the mutant is not C."""
    with tempfile.TemporaryDirectory() as folder:
        suite = build.suite(name, text, folder)
        if suite is None:
            return None
        right = os.path.join(build.folder, "tests/reference/reference.so")
        wrong = os.path.join(folder, "reference-76.so")
        shutil.copy(right, wrong)

        def fails(*line):
            try:
                done = subprocess.run([suite, *line], capture_output=True, text=True, timeout=120)
            except subprocess.TimeoutExpired:
                return True
            return done.returncode not in (0, 5) or "--plugin" in line and ", 0 do not hold" not in done.stdout

        def judges(plugin, cases):
            return fails("--plugin", plugin, "--level", "L2", "--case", cases, "--isolation", "batch:64")

        if name != "compare.c":
            return judges(right, "operator.*")
        return fails("--self-test") or judges(right, "operator.Add.*") or not judges(wrong, "operator.MatMul.tails")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("build")
    ap.add_argument("--sample", type=int, default=100)
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("files", nargs="*")
    a = ap.parse_intermixed_args()
    oracle = sorted(os.path.basename(f) for f in glob.glob(os.path.join(SOURCE, "oracle_*.c")))
    pool = list(mutants("compare.c", "const char *conform__compare_self_test")), \
        [m for name in oracle for m in mutants(name, None)]
    random.Random(1).shuffle(pool[1])
    bad = False
    build = Build(os.path.abspath(a.build))
    for title, wanted, least in (("comparator", pool[0], 0.95), ("oracle", pool[1][:a.sample], 0.90)):
        wanted = [m for m in wanted if not a.files or m[0] in a.files]
        with concurrent.futures.ThreadPoolExecutor(a.jobs) as threads:
            answers = list(threads.map(lambda m: noticed(build, m[0], m[3]), wanted))
        known = [(m, found) for m, found in zip(wanted, answers) if found is not None]
        alive = [m for m, found in known if not found]
        for name, line, what, _ in alive:
            print(f"survives: {name}:{line}: {what}")
        share = 1 - len(alive) / max(1, len(known))
        bad = bad or share < least
        print(f"{title}: {len(known) - len(alive)} of {len(known)} source mutants noticed ({100 * share:.0f} %)")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
