//! Chance that always falls out the same: a figure must be recomputable from the stored samples by anyone.

/// SplitMix64 (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014, with the
/// constants of Vigna's public-domain version). What it gives may never change: stored orders of runs depend on it.
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An even choice below `bound`: numbers beyond the last whole multiple of it are drawn again.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let whole = u64::MAX - u64::MAX % bound;
        loop {
            let number = self.next();
            if number < whole {
                return number % bound;
            }
        }
    }

    /// Evenly between 0 and 1, neither of which it ever is.
    pub(crate) fn share(&mut self) -> f64 {
        const BITS: u32 = 53;
        ((self.next() >> (u64::BITS - BITS)) as f64 + 0.5) / (1_u64 << BITS) as f64
    }

    /// A standard normal value (G. Box and M. Muller, *A Note on the Generation of Random Normal Deviates*, 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.share(), self.share());
        libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(std::f64::consts::TAU * angle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_values_have_the_moments_of_their_distribution() {
        const N: u32 = 100_000;
        let mut random = SplitMix64(1);
        let values: Vec<f64> = (0..N).map(|_| random.normal()).collect();
        let mean = |power: i32| values.iter().map(|value| value.powi(power)).sum::<f64>() / f64::from(N);
        for (power, moment, error) in [(1, 0.0, 0.02), (2, 1.0, 0.02), (3, 0.0, 0.05), (4, 3.0, 0.15)] {
            assert!((mean(power) - moment).abs() < error, "{power}: {}", mean(power));
        }
    }
}
