//! Memory that loading leaves behind.
#![expect(unsafe_code, reason = "the C library has no safe way to give memory back")]

use std::time::Duration;

use super::background::in_background;

/// By then every thread has let go of what was replaced.
const SETTLED: Duration = Duration::from_secs(3);

/// Gives back to the system, in a while, what is free; must be called within a runtime.
///
/// The C library keeps for each thread what that has freed. A large configuration is read by one
/// thread and freed by another, so that after a few reloads a server would hold three times what it
/// uses.
pub(super) fn give_back_soon() {
    tokio::spawn(async {
        tokio::time::sleep(SETTLED).await;
        // Without a thread for it, all stays where it is until the next time.
        let _ = in_background(give_back).await;
    });
}

fn give_back() {
    // SAFETY: it takes a number, and any thread may call it at any time (malloc_trim(3)).
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0)
    };
}
