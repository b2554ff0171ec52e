//! The two system calls for which there is no safe wrapper.
#![expect(
    unsafe_code,
    reason = "execve and close_range have no safe wrapper that does exactly this"
)]

use std::ffi::{CStr, CString, c_char, c_uint};
use std::io;
use std::ptr;

/// Closes every file from `first` on as soon as another program is executed.
pub(super) fn close_on_exec_from(first: c_uint) -> io::Result<()> {
    let flags = i32::try_from(libc::CLOSE_RANGE_CLOEXEC).unwrap_or_default();
    // SAFETY: the call takes no pointers. With CLOSE_RANGE_CLOEXEC it closes nothing now, so no file is pulled away from
    // its owner.
    let result = unsafe { libc::close_range(first, c_uint::MAX, flags) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Executes `program`, and nothing else if that fails: `execvp`, which the standard library uses, would hand a file
/// without a known header to a shell.
pub(super) fn execute(program: &CStr, argv: &[CString], environment: &[CString]) -> io::Error {
    let (argv, environment) = (pointers(argv), pointers(environment));
    // SAFETY: `program` and all elements are NUL-terminated and outlive the call, both arrays end with a null pointer,
    // and the call only reads them.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}
