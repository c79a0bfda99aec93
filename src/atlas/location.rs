//! A place on the earth, and how far it is to another.

/// A place on the earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
}

impl Location {
    /// The mean radius of the earth in km (IUGG).
    const RADIUS_KM: f64 = 6371.0088;

    /// The great-circle distance in km, by the haversine formula on a sphere of the earth's mean
    /// radius: right to about half a percent.
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half = |a: f64, b: f64| ((a - b) / 2.0).sin().powi(2);
        let across = half(self.longitude.to_radians(), other.longitude.to_radians());
        let h = half(from, to) + from.cos() * to.cos() * across;
        2.0 * Self::RADIUS_KM * h.clamp(0.0, 1.0).sqrt().asin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Location {
        Location { latitude, longitude }
    }

    #[test]
    fn distances_are_those_of_a_sphere() {
        let quarter = std::f64::consts::FRAC_PI_2 * Location::RADIUS_KM;
        assert!((at(0.0, 0.0).distance_km(at(90.0, 12.0)) - quarter).abs() < 1e-6);
        assert!((at(0.0, 170.0).distance_km(at(0.0, -100.0)) - quarter).abs() < 1e-6);
        assert!((at(10.0, 20.0).distance_km(at(-10.0, -160.0)) - 2.0 * quarter).abs() < 1e-3);
        assert!(at(52.5, 13.4).distance_km(at(52.5, 13.4)).abs() < 1e-9);
        // London to New York: 5570 km in any table of distances.
        assert!((at(51.507, -0.128).distance_km(at(40.713, -74.006)) - 5570.0).abs() < 5.0);
    }
}
