//! Shows how a program uses the library: loads a spec, plans its changes, applies them to a target and rolls them back,
//! as the commands `kbfix diff`, `apply` and `rollback` do.
//!
//! Run it with `cargo run --example apply`. It creates its target in a temporary folder: the disk of a switched-off
//! Windows Server 2003, with only a few files.

use std::{
    error::Error,
    io::{self, Write},
    path::Path,
};

use kbfix::{
    example,
    journal::Store,
    operation::{self, ApplyOptions, MOST_CHANGES, Request, RollbackOptions},
    render::{self, Paint},
    spec::{self, Settings, library},
    targets::{self, Address},
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    run(folder.path(), &mut io::stdout())
}

/// Creates a target in `folder`, applies the spec KB909094 to it, rolls the changes back, and writes each report to
/// `out`.
pub(crate) fn run(folder: &Path, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let paint = Paint { colour: false };

    // Load a spec. `spec::load` takes the bytes of a YAML file; these are in the library of specs.
    let bytes = library::find("KB909094").ok_or("there is no built-in spec KB909094")?;
    let loaded = spec::load("KB909094", bytes, &Settings::new());
    for finding in &loaded.diagnostics {
        write!(out, "{}", render::diagnostics::human(finding, paint))?;
    }
    let spec = loaded.spec.ok_or("the spec has errors")?;

    // Open a target. `local` in place of `image:DIR` is this machine.
    let volume = folder.join("machine");
    example::make(&volume)?;
    let address = Address::new(&format!("image:{}", volume.display()), None, None)?;
    let mut target = targets::open(&address)?;

    // Plan: nothing is changed. `diff.plan` can be saved, reviewed, and applied later as `Request::Plan`.
    let request = Request::Specs(vec![spec]);
    let diff = operation::diff(&request, MOST_CHANGES, target.as_mut(), &mut ())?;
    write!(out, "{}", render::human(&diff.into_report(), paint))?;

    // Apply. The journal, which can undo it, is on disk before the first write.
    let store = Store::new(Some(&folder.join("state"))).ok_or("there is no state folder")?;
    let options = ApplyOptions::default();
    let report = operation::apply(request, &options, address.clone(), target.as_mut(), &store, &mut ())?;
    write!(out, "{}", render::human(&report, paint))?;

    // Roll back the newest apply to this target.
    let (journal, older) = operation::newest(&store, Some(&address), &mut ())?;
    let options = RollbackOptions::default();
    let report = operation::rollback(journal, older, options, address, target.as_mut(), &store, &mut ())?;
    write!(out, "{}", render::human(&report, paint))?;
    Ok(())
}
