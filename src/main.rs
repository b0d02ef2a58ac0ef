//! The `kbfix` command.

mod cli;

// A large plan has millions of small allocations. With the system's allocator they take a fifth of the CPU time of a
// plan. Windows keeps its own allocator, because mimalloc loads DLLs by their names there, and a file of such a name
// beside kbfix.exe would run as administrator.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The number of mimalloc's option `mi_option_purge_delay`: after how many milliseconds unused memory is returned to
/// the system, or -1 for never. The crate has no constant for this option, but has one for the option before it.
#[cfg(unix)]
const PURGE_DELAY: libmimalloc_sys::mi_option_t = libmimalloc_sys::mi_option_eager_commit_delay + 1;

fn main() -> std::process::ExitCode {
    // Most commands run for seconds. Memory that they return and need again would have to be cleared each time.
    #[cfg(unix)]
    #[allow(unsafe_code, reason = "the crate has no safe function for options")]
    // SAFETY: The function stores a number in a table of mimalloc. No other thread runs yet.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, -1);
    }
    cli::main()
}

#[cfg(all(test, unix))]
mod tests {
    use super::PURGE_DELAY;

    #[test]
    fn the_option_of_the_allocator_is_the_one_that_is_meant() {
        assert_eq!(PURGE_DELAY + 1, libmimalloc_sys::mi_option_use_numa_nodes);
        #[allow(unsafe_code, reason = "the crate has no safe function for options")]
        // SAFETY: The function reads a number from a table of mimalloc.
        let default = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(default, 10);
    }
}
