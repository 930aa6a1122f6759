//! What our own probes cost here.

use wbd_model::host::{Check, Unavailable};

use super::check::{good, missing, warning};
use crate::launch::weight::Weight;

/// Share of a launch, in percent, from which on our own weight is worth a warning.
const HEAVY_PERCENT: f64 = 5.0;

/// Grades what our probes add to the shortest life there is.
pub(crate) fn check_own_weight(weight: &Result<Weight, Unavailable>) -> Check {
    let name = "own weight";
    match weight {
        Err(unavailable) => missing(name, unavailable.why.as_str(), &unavailable.mend),
        Ok(weight) => {
            let added = (weight.with_ns as f64 / weight.without_ns as f64 - 1.0) * 100.0;
            let found = format!(
                "the life of a program that does nothing takes {:.1} us with all probes on, {:.1} us with them \
                 off ({added:+.1} %); medians of {} launches each, in turns",
                weight.with_ns as f64 / 1000.0,
                weight.without_ns as f64 / 1000.0,
                weight.launches,
            );
            if added <= HEAVY_PERCENT {
                good(name, found)
            } else {
                warning(
                    name,
                    found,
                    "take it into account where microseconds matter, or ask again on a quieter machine",
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn more_than_five_percent_is_a_warning() {
        let weight = |with_ns| {
            check_own_weight(&Ok(Weight {
                with_ns,
                without_ns: 100_000,
                launches: 200,
            }))
        };
        assert_eq!(weight(104_900).grade, Grade::Good);
        assert_eq!(weight(105_100).grade, Grade::Warning);
        assert!(
            weight(105_100).found.contains("+5.1 %"),
            "{}",
            weight(105_100).found
        );
    }
}
