//! Gives a hive access to its open file, so that the hive can be read on demand.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use crate::format::regf::Source;

impl Source for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(into, offset)
    }
}
