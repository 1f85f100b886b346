# Short names for what is done often. `just` is optional: every recipe is one command or script that can be typed.

# What is given to a recipe reaches its command as it was typed, quotes and all.
set positional-arguments

# The list of recipes.
default:
    @just --list

# What CI runs, tests apart: layout, lints, documentation, dependency rules.
check *parts:
    ./check "$@"

# Every test; what is given goes to the test runner.
test *arguments:
    ./test "$@"

# Lay out every source file.
fmt:
    cargo fmt --all

# The product on ten thousand lines, built as it is shipped.
demo *arguments:
    cargo run --release --locked -- demo "$@"

# The main job against its floor and its peers; give --json for one JSON object.
bench *arguments:
    cargo run --release --locked -- bench "$@"

# The fault and property tests with many seeds, for an evening rather than a commit: `just soak 1000 -p lineshift-engine`.
soak seeds="200" *arguments:
    shift; LINESHIFT_SEEDS={{ seeds }} PROPTEST_CASES={{ seeds }}0 NEXTEST_PROFILE=soak ./test "$@"

# Thousands of calls made up from the API's description; with a seed, those of that seed.
calls *seed:
    .ci/generated-calls/run "$@"

# Every fuzz target for a minute, or one for as many seconds as are said: `just fuzz orders 600`.
fuzz *arguments:
    .ci/fuzz "$@"

# A picture of every page of the portal in docs/portal/, from a demonstration.
screenshots:
    .ci/screenshots

# Builds without each guard against billing twice: the test named after it must fail then.
guards:
    .ci/guards

# Write the API's description into docs/.
openapi:
    cargo run --quiet --locked -p lineshift -- openapi > docs/openapi.json

# Banned crates, licences and sources alone.
deny:
    ./check deny

# Known security advisories; fetches their database.
advisories:
    ./check advisories
