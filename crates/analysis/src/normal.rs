//! The normal distribution's tail and its inverse.

/// `P(|Z| >= |z|)`.
pub(crate) fn two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The z that a standard normal value exceeds with the chance `tail`, which lies between 0 and 1/2.
pub(crate) fn upper(tail: f64) -> f64 {
    /// Beyond it the tail is smaller than the smallest number.
    const FAR: f64 = 40.0;
    let (mut low, mut high) = (0.0_f64, FAR);
    for _ in 0..60 {
        let middle = low.midpoint(high);
        if two_sided(middle) / 2.0 > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_textbooks_hold() {
        for (tail, z) in [
            (0.025, 1.959_964),
            (0.2, 0.841_621),
            (0.005, 2.575_829),
            (0.5, 0.0),
        ] {
            assert!((upper(tail) - z).abs() < 1e-6, "{tail}: {}", upper(tail));
        }
        assert!((two_sided(-1.959_964) - 0.05).abs() < 1e-6);
    }
}
