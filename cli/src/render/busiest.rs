//! The functions in which the clock met a run most often.

use wbd_model::profile::{Counted, Frame, Layer, Profile};

/// A function, and how often the clock met it.
pub(super) struct Place<'a> {
    /// The innermost one outside the kernel, where there is one.
    pub(super) frame: &'a Frame,
    /// Who called it, where it is a library's: `syscall` alone says nothing.
    caller: Option<&'a Frame>,
    /// How often.
    pub(super) count: u64,
}

impl Place<'_> {
    /// The function, and for whom it was called.
    pub(super) fn name(&self) -> String {
        let function = &self.frame.function;
        match self.caller {
            Some(caller) => format!("{function}, from {}", caller.function),
            None => function.clone(),
        }
    }
}

/// How often the clock met a run on a CPU, and where, the busiest first.
pub(super) fn busiest(profile: &Profile) -> (u64, Vec<Place<'_>>) {
    let looks = profile.stacks.iter().filter(|stack| stack.what == Counted::OnCpu);
    let mut places: Vec<Place<'_>> = Vec::new();
    for stack in looks {
        let Some((frame, caller)) = place(&stack.frames) else {
            continue;
        };
        match places
            .iter_mut()
            .find(|known| (known.frame, known.caller) == (frame, caller))
        {
            Some(known) => known.count += stack.count,
            None => places.push(Place {
                frame,
                caller,
                count: stack.count,
            }),
        }
    }
    places.sort_by_key(|place| std::cmp::Reverse(place.count));
    (places.iter().map(|place| place.count).sum(), places)
}

fn place(frames: &[Frame]) -> Option<(&Frame, Option<&Frame>)> {
    let mut own = frames.iter().filter(|frame| frame.layer != Layer::Kernel);
    let frame = own.next().or(frames.first())?;
    let is_callers = |frame: &&Frame| !matches!(frame.layer, Layer::Library | Layer::Unknown);
    let caller = (frame.layer == Layer::Library).then(|| own.find(is_callers));
    Some((frame, caller.flatten()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::flame::tests::{of, stack};

    #[test]
    fn a_librarys_function_is_told_with_its_caller() {
        let wake = [
            of("futex_wake", Layer::Kernel),
            of("syscall", Layer::Library),
            of("start_thread", Layer::Library),
            of("unpark", Layer::Engine),
        ];
        let park = [of("syscall", Layer::Library), of("park", Layer::Engine)];
        let own = [of("guest", Layer::Guest), of("park", Layer::Engine)];
        let profile = Profile {
            stacks: vec![
                stack(1, Counted::OnCpu, 2, 0, &park),
                stack(1, Counted::OnCpu, 1, 0, &own),
                stack(1, Counted::OnCpu, 3, 0, &wake),
                stack(2, Counted::OnCpu, 2, 0, &wake),
                stack(2, Counted::OffCpu, 9, 0, &own),
                stack(2, Counted::OnCpu, 1, 0, &wake[..1]),
            ],
            ..Profile::default()
        };
        let (all, places) = busiest(&profile);
        let told: Vec<(String, u64)> = places.iter().map(|place| (place.name(), place.count)).collect();
        let expected = [
            ("syscall, from unpark", 5),
            ("syscall, from park", 2),
            ("guest", 1),
            ("futex_wake", 1),
        ];
        assert_eq!(all, 9);
        assert_eq!(told, expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
