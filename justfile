# Shortcuts for the documented commands; `just` lists them. Install: `pip install rust-just`.

engine := "chromium"

[private]
default:
    @{{ just_executable() }} --list

# Check format, lints, spelling, shell scripts and the page's JavaScript and CSS
check:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings
    cargo clippy --test browser --test faults --locked -- -D warnings
    .ci/text
    .ci/lint-js

# Run the suite, or the tests whose names contain FILTER
test *FILTER:
    cargo test --locked {{ if FILTER == "" { "" } else { "--test suite -- " + FILTER } }}

# Test the page in Chromium, or in firefox or webkit: `just engine=firefox browser`
browser *FILTER:
    BOTTLE_ENGINE={{ engine }} cargo test --locked --test browser -- {{ FILTER }}

# Kill the program, fill its disk, set its clock, and check the data afterwards
faults *FILTER:
    cargo test --locked --test faults -- {{ FILTER }}

# Run everything that CI runs (on Debian, as root)
ci:
    .ci/run

# Regenerate the OpenAPI document
gen:
    cargo run --locked --example openapi > static/api/openapi.json

# Regenerate bottle.db.sample, after a new migration
sample:
    cargo run --locked --example sample

# Build static binaries, Debian packages and checksums into target/release-files
package *MACHINES:
    packaging/release {{ MACHINES }}

# Run the Criterion benches
bench:
    cargo bench

# Measure Bottle and other servers, and write docs/performance.md
load *OPTIONS:
    benches/load/run {{ OPTIONS }}
