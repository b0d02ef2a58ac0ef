//! What is done with one input, for each parser. The fuzzer calls it with what it makes up (fuzz.rs), and the tests
//! with the corpus that the fuzzer has gathered (tests/engine/corpus.rs).

mod events;
mod hives;
mod lgpo;
mod osconfig;
mod pe;
mod pol;
mod reg;
mod spec;

/// Does with an input what its parser is for.
type Parse = fn(&[u8]);

/// Each parser by its name, which is that of its corpus.
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
