//! The flags of `run` on the conditions that targets run under.

use clap::ValueEnum;
use wbd_model::cpus;
use wbd_model::request::{Conditions, PageCache};

/// The flags as they are written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Conditions")]
pub(crate) struct ConditionArgs {
    /// CPUs that targets may use, such as 1 or 0,2-3 [default: those of wbctl itself]
    #[arg(long, value_name = "LIST", value_parser = cpu_list)]
    cpu: Option<CpuList>,
    /// Have the kernel randomise the addresses of targets' memory, as it does unless told otherwise
    #[arg(long, overrides_with = "no_aslr")]
    aslr: bool,
    /// Have every run's memory laid out at the same addresses
    #[arg(long, overrides_with = "aslr")]
    no_aslr: bool,
    /// Give each run a variable WBD_PADDING of a random length, 0 to 4096 bytes: it moves the stack
    #[arg(long)]
    env_padding: bool,
    /// What to do about the page cache before each run
    #[arg(long, value_enum, default_value_t = Cache::Warm, value_name = "STATE")]
    page_cache: Cache,
}

/// A checked list of CPUs.
#[derive(Clone, Debug)]
struct CpuList(Vec<u32>);

fn cpu_list(text: &str) -> Result<CpuList, String> {
    let list = cpus::parse(text).ok_or("not a list of CPUs, such as 1 or 0,2-3")?;
    Ok(CpuList(list))
}

/// States of the page cache.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Cache {
    /// Leave it as the runs before made it
    Warm,
    /// Drop the target's own files from it, and no others
    Cold,
}

impl ConditionArgs {
    /// What they come to.
    pub(crate) fn conditions(self) -> Conditions {
        Conditions {
            cpus: self.cpu.map(|CpuList(list)| list).unwrap_or_default(),
            fixed_addresses: self.no_aslr,
            env_padding: self.env_padding,
            page_cache: match self.page_cache {
                Cache::Warm => PageCache::Warm,
                Cache::Cold => PageCache::Cold,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        args: ConditionArgs,
    }

    fn parsed(line: &str) -> Result<Conditions, clap::Error> {
        let words = ["wbctl"].into_iter().chain(line.split_whitespace());
        Alone::try_parse_from(words).map(|alone| alone.args.conditions())
    }

    #[test]
    fn nothing_said_is_the_usual() {
        assert_eq!(parsed("").unwrap(), Conditions::default());
        assert_eq!(parsed("--aslr --page-cache warm").unwrap(), Conditions::default());
    }

    #[test]
    fn what_is_said_is_asked_for() {
        let asked = parsed("--cpu 2,0-1 --no-aslr --env-padding --page-cache cold").unwrap();
        assert_eq!(
            asked,
            Conditions {
                cpus: vec![0, 1, 2],
                fixed_addresses: true,
                env_padding: true,
                page_cache: PageCache::Cold,
            }
        );
        assert!(
            !parsed("--no-aslr --aslr").unwrap().fixed_addresses,
            "the last one counts"
        );
    }

    #[test]
    fn no_list_is_a_usage_error() {
        let error = parsed("--cpu 3-1").err().unwrap();
        assert!(error.to_string().contains("0,2-3"), "{error}");
    }
}
