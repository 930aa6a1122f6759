//! How many experiments of each user wait or run: a queue is everybody's, and one user must not fill it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::allowance::{Allowance, Refusal};

/// Counts the experiments of each user.
#[derive(Clone)]
pub(crate) struct Admissions {
    allowance: Allowance,
    present: Arc<Mutex<HashMap<u32, u32>>>,
}

/// An experiment that was let in; dropping it counts it out.
pub(crate) struct Admission {
    uid: u32,
    present: Arc<Mutex<HashMap<u32, u32>>>,
}

impl Admissions {
    pub(crate) fn new(allowance: Allowance) -> Self {
        Self {
            allowance,
            present: Arc::default(),
        }
    }

    /// What users may have beside places in the queue.
    pub(crate) fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// Lets an experiment of this user in, if they have not too many already.
    pub(crate) fn admit(&self, uid: u32) -> Result<Admission, Refusal> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let count = present.entry(uid).or_default();
        self.allowance.check_queue(uid, *count)?;
        *count += 1;
        Ok(Admission {
            uid,
            present: Arc::clone(&self.present),
        })
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let left = present.get(&self.uid).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => present.remove(&self.uid),
            left => present.insert(self.uid, left),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_who_has_enough_waits_and_others_do_not() {
        let admissions = Admissions::new(toml::from_str("queue = 2").unwrap());
        let first = admissions.admit(1000).unwrap();
        let _second = admissions.admit(1000).unwrap();
        let refusal = admissions.admit(1000).err().unwrap().to_string();
        assert!(refusal.contains("user 1000 has 2 experiments"), "{refusal}");
        let others = [1001, 0, 0, 0].map(|uid| admissions.admit(uid).unwrap());
        drop(first);
        let _third = admissions.admit(1000).unwrap();
        drop(others);
        assert_eq!(admissions.present.lock().unwrap().len(), 1);
    }
}
