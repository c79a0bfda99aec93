//! Serials of zones.

/// Whether a serial is behind another in the order of RFC 1982 section 3.2.
#[must_use]
pub const fn is_newer(serial: u32, than: u32) -> bool {
    serial.wrapping_sub(than).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn rfc1982_3_2_serials_wrap_around() {
        assert!(is_newer(2, 1) && is_newer(0, u32::MAX) && is_newer(0x7fff_ffff, 0));
        assert!(!is_newer(1, 1) && !is_newer(1, 2) && !is_newer(u32::MAX, 0));
        assert!(!is_newer(0x8000_0000, 0), "where the order is not defined, nothing is newer");
    }
}
