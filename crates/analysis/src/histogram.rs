//! HDR histograms: a distribution in a few kilobytes, every value to three significant digits, mergeable.
//!
//! As text a histogram is its uncompressed V2 encoding, the one HdrHistogram's libraries share, in base64
//! (standard alphabet, padded). Decoding takes foreign input: it allocates no more than the text's own
//! length and the histogram's range call for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{
    DeserializeError, Deserializer, Serializer, V2SerializeError, V2Serializer,
};
pub use hdrhistogram::{AdditionError, CreationError, Histogram};

/// Significant decimal digits kept of every value.
const DIGITS: u8 = 3;
/// First bytes of an uncompressed V2 encoding with counts in variable-length integers.
const V2_COOKIE: u32 = 0x1c84_9313;
/// Length of the encoding's header in bytes: cookie, payload length, offset, digits, lowest, highest, ratio.
const HEADER_BYTES: usize = 40;

/// A histogram cannot be made or written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// It would be larger than memory can address.
    #[error("a value does not fit a histogram: {0}")]
    Record(#[from] hdrhistogram::RecordError),
    /// It cannot be made.
    #[error("cannot make a histogram: {0}")]
    Create(#[from] CreationError),
    /// It cannot be written.
    #[error("cannot encode a histogram: {0}")]
    Write(#[from] V2SerializeError),
}

/// A text is no histogram.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It is not base64.
    #[error("a histogram's text is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// It does not begin like an uncompressed V2 encoding of its own length.
    #[error("a histogram's text is not an uncompressed V2 encoding, or is cut off")]
    Header,
    /// Its content contradicts its header.
    #[error("a histogram's text is damaged: {0}")]
    Content(#[from] DeserializeError),
}

/// The histogram of `values`; it grows as they need.
///
/// # Errors
/// Fails where the histogram cannot be addressed, which no 64-bit machine reaches.
pub fn from_values(values: &[u64]) -> Result<Histogram<u64>, EncodeError> {
    let mut histogram = Histogram::new(DIGITS)?;
    for &value in values {
        histogram.record(value)?;
    }
    Ok(histogram)
}

/// The histogram as text.
///
/// # Errors
/// Fails where a count is larger than the encoding can hold.
pub fn encode(histogram: &Histogram<u64>) -> Result<String, EncodeError> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes)?;
    Ok(STANDARD.encode(bytes))
}

/// The histogram that `text` encodes.
///
/// # Errors
/// Fails where the text is not what [`encode`] writes.
pub fn decode(text: &str) -> Result<Histogram<u64>, DecodeError> {
    let bytes = STANDARD.decode(text)?;
    check_header(&bytes)?;
    Ok(Deserializer::new().deserialize(&mut bytes.as_slice())?)
}

/// The decoder reserves what the header asks for: so the header is compared with the true length first.
fn check_header(bytes: &[u8]) -> Result<(), DecodeError> {
    let word = |at: usize| {
        let word = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(word))
    };
    let payload = bytes.len().checked_sub(HEADER_BYTES).ok_or(DecodeError::Header)?;
    let honest = word(0) == Some(V2_COOKIE) && word(4).map(|length| length as usize) == Some(payload);
    honest.then_some(()).ok_or(DecodeError::Header)
}

/// Adds the counts of `from` to those of `into`.
///
/// # Errors
/// Fails where a count overflows.
pub fn merge(into: &mut Histogram<u64>, from: &Histogram<u64>) -> Result<(), AdditionError> {
    into.add(from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[u64]) -> Histogram<u64> {
        from_values(values).unwrap()
    }

    #[test]
    fn cut_off_compressed_and_foreign_texts_are_refused() {
        let text = encode(&histogram(&[1, 2, 3])).unwrap();
        let cut = STANDARD.encode(&STANDARD.decode(&text).unwrap()[..41]);
        let compressed = STANDARD.encode(0x1c84_9314_u32.to_be_bytes());
        for foreign in ["", "?", "AAAA", &cut, &compressed, &text[..8]] {
            assert!(decode(foreign).is_err(), "{foreign:?} was taken");
        }
    }

    #[test]
    fn a_header_that_claims_more_than_there_is_reserves_nothing() {
        let mut bytes = STANDARD.decode(encode(&histogram(&[1])).unwrap()).unwrap();
        bytes[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(matches!(
            decode(&STANDARD.encode(bytes)),
            Err(DecodeError::Header)
        ));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(values in prop::collection::vec(any::<u64>(), 0..100)) {
            let written = histogram(&values);
            prop_assert_eq!(decode(&encode(&written).unwrap()).unwrap(), written);
        }

        #[test]
        fn percentiles_are_right_to_three_digits(mut values in prop::collection::vec(1..u64::MAX, 1..100)) {
            let histogram = histogram(&values);
            values.sort_unstable();
            for percent in [1_usize, 50, 90, 99, 100] {
                let truth = values[(values.len() * percent).div_ceil(100) - 1];
                let found = histogram.value_at_quantile(percent as f64 / 100.0);
                prop_assert!(found.abs_diff(truth) <= truth / 1000, "p{}: {} {}", percent, found, truth);
            }
        }

        #[test]
        fn merging_equals_recording_everything(
            a in prop::collection::vec(any::<u64>(), 0..50),
            b in prop::collection::vec(any::<u64>(), 0..50),
        ) {
            let mut merged = histogram(&a);
            merge(&mut merged, &histogram(&b)).unwrap();
            prop_assert_eq!(merged, histogram(&[a, b].concat()));
        }

        #[test]
        fn damaged_bytes_never_panic(damage in prop::collection::vec((8_usize..60, any::<u8>()), 1..8)) {
            let mut bytes = STANDARD.decode(encode(&histogram(&[5, 70, 900, 11_000])).unwrap()).unwrap();
            for (at, byte) in damage {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            let _ = decode(&STANDARD.encode(bytes));
        }

        #[test]
        fn any_text_is_taken_or_refused(text in "[A-Za-z0-9+/=]{0,120}") {
            let _ = decode(&text);
        }
    }
}
