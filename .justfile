# Short names for the lines that a contributor types; `.ci/run` is the gate.

# Everything that has to pass before a commit is shared
check:
    .ci/run

# Rewrite the outputs in the executed documents; review the result with `git diff`
bless:
    SWIFT_BLESS=1 cargo test --locked --test it

# Watch two projects and an orchestrator work in a scratch folder
demo:
    cargo run --locked --release -- demo

# Compare with plain git, side by side
bench:
    benches/run
