//! Midranks: places in ascending order, equal values sharing the mean of theirs.

/// Twice the midrank of each value, which is a whole number.
pub(crate) fn doubled_midranks(values: &[u64]) -> Vec<u64> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_unstable_by_key(|&place| values[place]);
    let mut ranks = vec![0; values.len()];
    let mut before = 0;
    for equal in places.chunk_by(|&one, &other| values[one] == values[other]) {
        for &place in equal {
            ranks[place] = (2 * before + equal.len() + 1) as u64;
        }
        before += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_the_mean_of_their_places() {
        assert_eq!(doubled_midranks(&[30, 10, 20, 20]), [8, 2, 5, 5]);
        assert_eq!(doubled_midranks(&[7; 3]), [4; 3]);
    }
}
