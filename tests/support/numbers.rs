//! Random numbers for tests with many cases.

/// A generator of pseudo-random numbers (xorshift64*). It produces the same numbers in every test run.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// Returns the next pseudo-random number, from 0 to `end - 1`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end.max(1)
    }
}
