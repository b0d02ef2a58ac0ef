//! Runs the parser in `KBFIX_FUZZ` on the inputs of the fuzzer.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

mod inputs;

static PARSE: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let wanted = std::env::var("KBFIX_FUZZ").expect("KBFIX_FUZZ names a parser");
    inputs::PARSERS.iter().find(|(name, _)| *name == wanted).expect("there is a parser of that name").1
});

fuzz_target!(|data: &[u8]| PARSE(data));
