#!/usr/bin/env python3
"""The whole main job for the whole sample: `bin/bench whole [--customers 23570] [--out DIR]`.

Runs `manage.py demo_handover` (23,570 customers with 69,659 purchases unless told otherwise), checks that what arrived
is all of it, and has `bin/verify-certificate` check the certificate against its manifest. Fails when
anything is missing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WHOLE = {"basic": 23_570, "purchases": 69_659}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=WHOLE["basic"])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="handover-"))
    began = time.perf_counter()
    command = [sys.executable, "manage.py", "demo_handover", "--customers", str(options.customers), "--out", str(out)]
    # The demo's people are made only in the demo setting.
    subprocess.run(command, cwd=ROOT, env=os.environ | {"DEMO": "1", "DEBUG": "1"}, check=True)
    seconds = time.perf_counter() - began
    check(json.loads((out / "summary.json").read_text()), options.customers)
    verifier = [sys.executable, "bin/verify-certificate", str(out / "certificate.json")]
    verifier += ["--manifest", str(out / "manifest.txt"), "--public-key", str(out / "public-key.txt")]
    subprocess.run(verifier, cwd=ROOT, check=True)
    print(f"From a file to a verified certificate in {seconds:.1f} s.")


def check(summary: dict, customers: int) -> None:
    """Raises SystemExit when not everything arrived."""
    counts = summary["counts"]
    wanted = WHOLE if customers == WHOLE["basic"] else {"basic": customers}
    for category, number in wanted.items():
        if counts[category]["equal"] != number:
            raise SystemExit(f"{category}: {counts[category]['equal']} of {number} arrived equal")
    if summary["source_root"] != summary["target_root"]:
        raise SystemExit("the roots differ")


if __name__ == "__main__":
    main()
