"""Runs modules of Python's own test suite with sys.executable replaced: unittests.py EXECUTABLE RESULT MODULE...

Writes to the file RESULT how many tests ran and which of them failed, as JSON.
"""

import json
import sys
import unittest

sys.executable, result, modules = sys.argv[1], sys.argv[2], sys.argv[3:]

suite = unittest.defaultTestLoader.loadTestsFromNames("test." + module for module in modules)
outcome = unittest.TextTestRunner(verbosity=2).run(suite)
failed = [test.id() for test, _ in outcome.failures + outcome.errors] + [test.id() for test in outcome.unexpectedSuccesses]
with open(result, "w", encoding="utf-8") as file:
    json.dump({"ran": outcome.testsRun, "failed": sorted(set(failed))}, file)
