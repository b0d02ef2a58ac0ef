//! What is done with one input of each parser. The fuzzer calls it with its inputs (fuzz.rs), and the tests call it
//! with the corpus that the fuzzer has collected (tests/engine/corpus.rs).

mod events;
mod hives;
mod lgpo;
mod osconfig;
mod pe;
mod pol;
mod reg;
mod spec;

/// Runs a parser on an input, and checks the result.
type Parse = fn(&[u8]);

/// The parsers by name. The folder of a corpus has the same name.
pub(crate) const PARSERS: [(&str, Parse); 10] = [
    ("hive", hives::hive),
    ("logs", hives::logs),
    ("reg", reg::reg),
    ("pe", pe::pe),
    ("pol", pol::pol),
    ("lgpo", lgpo::lgpo_text),
    ("spec", spec::spec),
    ("osconfig", osconfig::osconfig),
    ("evt", events::evt),
    ("evtx", events::evtx),
];
