# Short names for what is done often. `just` is optional: every recipe is one command or script that can be typed.

# The list of recipes.
default:
    @just --list

# What CI runs, tests apart: layout, lints, documentation, dependency rules.
check *parts:
    ./check {{ parts }}

# Every test; what is given goes to the test runner.
test *arguments:
    ./test {{ arguments }}

# Lay out every source file.
fmt:
    cargo fmt --all

# The product on ten thousand lines, built as it is shipped.
demo *arguments:
    cargo run --release --locked -- demo {{ arguments }}

# The main job against its floor and its peers; give --json for one JSON object.
bench *arguments:
    cargo run --release --locked -- bench {{ arguments }}

# The fault and property tests with many seeds, for an evening rather than a commit.
soak seeds="200" *arguments:
    LINESHIFT_SEEDS={{ seeds }} PROPTEST_CASES={{ seeds }}0 NEXTEST_PROFILE=soak ./test {{ arguments }}

# Banned crates, licences and sources alone.
deny:
    ./check deny

# Known security advisories; fetches their database.
advisories:
    cargo deny --workspace check advisories
