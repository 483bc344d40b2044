"""The benchmark, one module a subject: `python -m tests.bench`; see docs/benchmark.md."""
