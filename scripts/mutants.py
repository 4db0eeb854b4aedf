"""Checks that each guard has a test: removes the guard, and demands that the test fails.

The mutants are in tests/mutants.toml. Each is built and run in a copy of the tree, target/mutants/tree, with a target
directory of its own: the working tree is never changed, and an interrupted run leaves nothing behind. First all named tests
must pass on the unchanged copy (--skip-unchanged leaves that out).

A mutant that does not compile is an error of the list, not a caught one. Where a mutant changes the text of a query, the
prepared query of .sqlx is copied to its new digest: its parameters and columns must stay the same.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "target/mutants/tree"
TIME_LIMIT = 180  # seconds for the tests of one mutant
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
    "CARGO_TARGET_DIR": str(ROOT / "target/mutants/target"),
    "CARGO_PROFILE_DEV_DEBUG": "0",  # links faster; dependencies have none anyway
    "SQLX_OFFLINE": "true",
}


def copy_tree():
    """Makes the copy equal to the working tree. Files that are equal keep their times, so that little is rebuilt."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    wanted = {Path(name) for name in names if name and (ROOT / name).is_file()}
    for name in wanted:
        source, copy = ROOT / name, TREE / name
        if not copy.is_file() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            shutil.copymode(source, copy)
    for copy in TREE.rglob("*"):
        if copy.is_file() and copy.relative_to(TREE) not in wanted:
            copy.unlink()


def target_of(test):
    """Whether a test is one of tests/it or a unit test, and its name as libtest knows it."""
    module, name = test.rsplit("::", 1)
    path = module.replace("::", "/")
    if any((ROOT / "tests/it" / file).is_file() for file in (f"{path}.rs", f"{path}/mod.rs")):
        return "it", test
    has_tests_inside = "mod tests {" in (ROOT / "src" / f"{path}.rs").read_text()
    return "lib", f"{module}::tests::{name}" if has_tests_inside else test


def cargo_test(target, arguments, limit):
    """Runs `cargo test`; returns its status (None where the time is up) and its output."""
    command = ["cargo", "test", *(["--lib"] if target == "lib" else ["--test", "it"]), *arguments]
    child = subprocess.Popen(
        command,
        cwd=TREE,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=limit)
        return child.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)  # its private PostgreSQL ends with it
        return None, child.communicate()[0]


def passed(output, tests):
    """Those of these tests that passed."""
    return set(re.findall(r"^test (\S+)(?: - should panic)? \.\.\. ok", output, re.MULTILINE)) & set(tests)


def tail(output, lines=15):
    return "\n".join(output.rstrip().splitlines()[-lines:])


def check_unchanged(mutants):
    """Every named test passes without a mutant: else its failure would say nothing."""
    failed = []
    for target in ("lib", "it"):
        tests = sorted({name for mutant in mutants for kind, name in mutant["targets"] if kind == target})
        if not tests:
            continue
        status, output = cargo_test(target, ["--", "--exact", *tests], 3600)
        missing = sorted(set(tests) - passed(output, tests))
        if status != 0 and not missing:
            missing = [f"the build, or something beside the tests:\n{tail(output)}"]
        failed += missing
    return failed


def apply(mutant, changed):
    """Changes the copy. Notes in `changed` what the files had before; `None` for a new one."""
    for edit in mutant["edit"]:
        path = TREE / edit["file"]
        text = path.read_text()
        if text.count(edit["find"]) != 1:
            raise ValueError(f"{edit['file']} has the text {text.count(edit['find'])} times")
        changed.setdefault(path, text)
        path.write_text(text.replace(edit["find"], edit["replace"]))
        for prepared in (TREE / ".sqlx").glob("query-*.json"):
            query = json.loads(prepared.read_text())
            if edit["find"] in query["query"] and query["query"] in text:
                query["query"] = query["query"].replace(edit["find"], edit["replace"])
                query["hash"] = hashlib.sha256(query["query"].encode()).hexdigest()
                copy = prepared.with_name(f"query-{query['hash']}.json")
                changed[copy] = None
                copy.write_text(json.dumps(query, indent=2))


def restore(changed):
    for path, text in changed.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


def judge(mutant):
    """Builds a mutant and runs its tests; returns what became of it, and a remark."""
    remark = ""
    for target in sorted({kind for kind, _ in mutant["targets"]}):
        status, output = cargo_test(target, ["--no-run"], 3600)
        if status != 0:
            return "ERROR", f"it does not compile:\n{tail(output, 40)}"
        tests = [name for kind, name in mutant["targets"] if kind == target]
        status, output = cargo_test(target, ["--", "--exact", *tests], TIME_LIMIT)
        survived = passed(output, tests)
        if survived:
            return "SURVIVED", f"{', '.join(sorted(survived))} passed without the guard: {mutant['guards']}"
        if status is None:
            remark = f"(no end within {TIME_LIMIT} s)"
        elif status == 0:
            return "ERROR", f"no such test: {', '.join(tests)}"
    return "caught", remark


def main(arguments):
    skip_unchanged = "--skip-unchanged" in arguments
    names = [name for name in arguments if name != "--skip-unchanged"]
    mutants = tomllib.loads((ROOT / "tests/mutants.toml").read_text())["mutant"]
    unknown = set(names) - {mutant["name"] for mutant in mutants}
    if unknown:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}")
    mutants = [mutant for mutant in mutants if not names or mutant["name"] in names]
    for mutant in mutants:
        mutant["targets"] = [target_of(test) for test in mutant["test"]]
    mutants.sort(key=lambda mutant: (mutant["targets"][0][0], mutant["edit"][0]["file"]))
    copy_tree()
    if not skip_unchanged:
        failed = check_unchanged(mutants)
        if failed:
            sys.exit("these do not pass without a mutant:\n" + "\n".join(failed))
    sums = {"caught": 0, "SURVIVED": 0, "ERROR": 0}
    for mutant in mutants:
        begun = time.monotonic()
        changed = {}
        try:
            apply(mutant, changed)
            result, remark = judge(mutant)
        except ValueError as error:
            result, remark = "ERROR", str(error)
        finally:
            restore(changed)
        sums[result] += 1
        print(f"{result:8} {mutant['name']} {time.monotonic() - begun:.0f} s {remark}", flush=True)
    print(f"{len(mutants)} mutants: {sums['caught']} caught, {sums['SURVIVED']} survived, {sums['ERROR']} errors")
    sys.exit(0 if sums["caught"] == len(mutants) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
