# Two commands do everything on a fresh Debian 12 machine with the Rust toolchain: make demo, make test.
CARGO ?= cargo
# A release build in half the time, for trying it out.
QUICK = --config profile.release.lto=false --config profile.release.package.varco.codegen-units=16

.PHONY: demo test bench bench-pages fuzz lint install-demo install-test

# The demonstration federation at http://127.0.0.1:8000/
demo: install-demo
	$(CARGO) $(QUICK) build --release --locked
	$${CARGO_TARGET_DIR:-target}/release/varco demo

# Every test, with PostgreSQL and Chromium on loopback
test: install-test
	.ci/with-postgres $(CARGO) test --locked

# Logins per second, CPU per login, memory, ratio to the crypto floor
bench: install-demo
	$(CARGO) bench --locked --bench load

# The pages of people and operators over 100,000 users, 10,000 RPs and 1,000,000 logins; `.ci/with-postgres make bench-pages`
# does PostgreSQL too
bench-pages: install-demo
	VARCO_BENCH=pages $(CARGO) $(QUICK) bench --locked --bench load

# Mutated statements, policies, chains, marks and keys for FUZZ_SECONDS (60); FUZZ_SEED and FUZZ_REPLAY repeat what was found
fuzz: install-demo
	RUST_BACKTRACE=0 $(CARGO) test --locked --test fuzz

# What .ci/run checks beside the tests
lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

install-demo:
	@.ci/install build-essential pkg-config libssl-dev

install-test: install-demo
	@.ci/install postgresql chromium chromium-driver python3-aiosmtpd
