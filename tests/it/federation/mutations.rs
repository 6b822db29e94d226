//! A short slice of `make fuzz`, always the same.

#[path = "../../fuzz/mod.rs"]
mod fuzz;

const SEED: u64 = 20_260_115;
const CASES: usize = 600;

#[test]
fn mutated_documents_break_no_promise() {
    // SPID/CIE FE-1, FE-2, FE-3, FE-5
    let mut fuzzer = fuzz::Fuzzer::new(SEED);
    fuzzer.check_corpus().unwrap();
    for number in 0..CASES {
        let case = fuzzer.next_case();
        if let Err(broken) = fuzzer.run(&case) {
            panic!("case {number}: {broken}\n{}", case.to_text());
        }
    }
    let seen = fuzzer.summary();
    for reached in [
        "accepted, then accepted",
        "Policy",
        "TrustMark",
        "policy: refused, merge",
    ] {
        assert!(seen.contains(reached), "{reached} was not reached:\n{seen}");
    }
}
