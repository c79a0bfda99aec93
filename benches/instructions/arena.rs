//! Memory that is only ever given out, at addresses that nothing but the order of requests decides.
//!
//! What the C library's functions and its allocator cost depends on addresses, and those on the length of
//! paths and on random keys of hash tables; then no count would be the same twice. So counts of what
//! allocates, such as a compile, are without what the allocator itself does.
#![expect(unsafe_code, reason = "an allocator is")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;

#[global_allocator]
static ARENA: Arena = Arena { left: Mutex::new((0, 0)) };

/// From where to where the last piece of the system's memory is free.
struct Arena {
    left: Mutex<(usize, usize)>,
}

/// What is asked of the system at once, in octets.
const PIECE: usize = 64 << 20;
/// Cache lines: whatever is copied or compared starts at one.
const ALIGN: usize = 64;
const PAGE: usize = 4096;

// SAFETY: each request gets memory of its own, of its length and alignment; none is given out twice, for
// none is taken back.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let align = layout.align().max(ALIGN);
        let Ok(mut left) = self.left.lock() else { return std::ptr::null_mut() };
        let mut start = left.0.next_multiple_of(align);
        if start + layout.size() > left.1 {
            let piece = layout.size().max(PIECE);
            let Ok(of_system) = Layout::from_size_align(piece, align.max(PAGE)) else {
                return std::ptr::null_mut();
            };
            // SAFETY: it is not of size 0.
            let fresh = unsafe { System.alloc(of_system) };
            if fresh.is_null() {
                return fresh;
            }
            start = fresh.expose_provenance();
            left.1 = start + piece;
        }
        left.0 = start + layout.size();
        std::ptr::with_exposed_provenance_mut(start)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
