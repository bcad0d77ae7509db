//! Words, JSON or annotations of the findings: nothing else in the project writes for people or machines.
