//! The server that is measured on: one that is named, or a private one in a directory of its own, which waits for the disk as a
//! production server does.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use tokio::process::Command;
use tokio_postgres::{Client, Config, NoTls};

/// Both roles of the product, as an operator makes them.
const ROLES: &str = include_str!("../../../../../deploy/postgres/roles.sql");

/// What a private server is told beyond the defaults. What waits for the disk is named although it is the default: it is what is
/// measured.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 200
shared_buffers = 2GB
effective_cache_size = 6GB
work_mem = 64MB
maintenance_work_mem = 512MB
max_wal_size = 8GB
checkpoint_timeout = 30min
random_page_cost = 1.1
fsync = on
synchronous_commit = on
full_page_writes = on
jit = off
log_min_messages = warning
";

/// How often a server of its own is started before that is given up.
const STARTS: usize = 5;

/// Every database of a benchmark begins so; one of that name from an earlier run is replaced.
const PREFIX: &str = "lineshift_bench_";

/// The server, and how its superuser gets to it.
pub(super) struct Server {
    config: Config,
    own: Option<Own>,
}

/// A private server. Stopped when dropped, before its directory is removed.
struct Own {
    programs: PathBuf,
    dir: TempDir,
}

impl Own {
    /// Starts the server on a port that nobody listens on; another program may take the port meanwhile, hence several attempts.
    async fn start(&self, cluster: &Path) -> Result<u16> {
        let log = self.dir.path().join("log");
        for _ in 0..STARTS {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let port = free.context("looking for a port")?.port();
            let mut start = as_server(&self.programs.join("pg_ctl"));
            start.args(["start", "--silent", "--wait", "-D"]).arg(cluster).arg("-l").arg(&log);
            // What a started server inherits, it keeps: nothing may wait for its output's end.
            start.args(["-o", &format!("-p {port}")]).stdout(Stdio::null()).stderr(Stdio::null());
            if start.status().await?.success() {
                return Ok(port);
            }
        }
        bail!("the private server did not start in {STARTS} attempts: {}", last_lines(&log))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut stop = as_server(&self.programs.join("pg_ctl")).into_std();
        stop.args(["stop", "--silent", "--wait", "-m", "immediate", "-D"]).arg(self.dir.path().join("cluster"));
        drop(stop.current_dir("/").output());
    }
}

impl Server {
    /// The server of that URL, whose user is a superuser.
    pub(super) async fn named(url: &str) -> Result<Self> {
        let server = Self { config: url.parse().context("reading the URL of the server")?, own: None };
        server.prepare().await?;
        Ok(server)
    }

    /// A private one, in a directory within `dir`, or within the system's temporary directory.
    pub(super) async fn private(dir: Option<&Path>) -> Result<Self> {
        let programs = programs()?;
        let mut builder = tempfile::Builder::new();
        builder.prefix("lineshift-bench-");
        let dir = match dir {
            Some(dir) => builder.tempdir_in(std::path::absolute(dir)?),
            None => builder.tempdir(),
        };
        let dir = dir.context("making a directory for the server")?;
        if rustix::process::geteuid().is_root() {
            run(Command::new("chown").arg("postgres").arg(dir.path())).await.context("giving the user postgres the directory")?;
        }
        let cluster = dir.path().join("cluster");
        let mut make = as_server(&programs.join("initdb"));
        make.arg("-D").arg(&cluster).args(["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
        run(&mut make).await.context("making a database cluster")?;
        let mut settings = std::fs::read_to_string(cluster.join("postgresql.conf")).context("reading the cluster's settings")?;
        settings.push_str(SETTINGS);
        settings.push_str(&format!("unix_socket_directories = '{}'\n", dir.path().display()));
        std::fs::write(cluster.join("postgresql.conf"), settings).context("writing the cluster's settings")?;
        let own = Own { programs, dir };
        let port = own.start(&cluster).await?;
        let mut config = Config::new();
        config.host("127.0.0.1").port(port).user("postgres").dbname("postgres");
        let server = Self { config, own: Some(own) };
        server.prepare().await?;
        Ok(server)
    }

    async fn prepare(&self) -> Result<()> {
        let client = self.connect(None).await?;
        let superuser: bool = client.query_one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", &[]).await?.get(0);
        ensure!(superuser, "the benchmark makes databases and roles: it wants the URL of a superuser");
        client.batch_execute(ROLES).await.context("making the roles")?;
        client.batch_execute("ALTER ROLE lineshift_owner LOGIN; ALTER ROLE lineshift_app LOGIN").await?;
        Ok(())
    }

    /// Connects as the superuser to a database of the benchmark, or to the one of the URL.
    pub(super) async fn connect(&self, database: Option<Database>) -> Result<Client> {
        let mut config = self.config.clone();
        if let Some(database) = database {
            config.dbname(database.name());
        }
        connect(&config).await
    }

    /// The URL of a database for a role; without one, for the superuser.
    pub(super) fn url(&self, database: Database, role: Option<&str>) -> Result<String> {
        let host = match self.config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            _ => bail!("the server is to be named by host and port"),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let user = role.or(self.config.get_user()).unwrap_or("postgres");
        let password = match self.config.get_password() {
            Some(password) => format!(":{}", String::from_utf8_lossy(password)),
            None => String::new(),
        };
        Ok(format!("postgres://{user}{password}@{host}:{port}/{}", database.name()))
    }

    /// A copy of a database, in memory and on the disk, with nothing left to write of what was before.
    pub(super) async fn copy(&self, from: Database, to: Database) -> Result<()> {
        let client = self.connect(None).await?;
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", to.name())).await?;
        let copy = format!("CREATE DATABASE {} TEMPLATE {} OWNER lineshift_owner STRATEGY FILE_COPY", to.name(), from.name());
        client.batch_execute(&copy).await.with_context(|| format!("copying {} to {}", from.name(), to.name()))?;
        let copied = self.connect(Some(to)).await?;
        copied.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm").await?;
        let warm = "SELECT sum(pg_prewarm(c.oid::regclass)) FROM pg_class c
            WHERE c.relkind IN ('r', 'i') AND c.relnamespace = 'public'::regnamespace";
        copied.query(warm, &[]).await?;
        drop(copied);
        client.batch_execute("CHECKPOINT").await?;
        Ok(())
    }

    /// An empty database, in place of one of that name.
    pub(super) async fn make(&self, database: Database) -> Result<()> {
        let client = self.connect(None).await?;
        let name = database.name();
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        let make = format!("CREATE DATABASE {name} OWNER lineshift_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'");
        client.batch_execute(&make).await.with_context(|| format!("making {name}"))
    }

    /// Removes what the benchmark made on a server that stays.
    pub(super) async fn clean(&self) -> Result<()> {
        let client = self.connect(None).await?;
        for database in Database::ALL {
            client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name())).await?;
        }
        Ok(())
    }

    /// What the server says of itself, for the report.
    pub(super) async fn settings(&self) -> Result<Vec<(String, String)>> {
        let client = self.connect(None).await?;
        let rows = client
            .query(
                "SELECT name, current_setting(name) FROM unnest(ARRAY['server_version', 'fsync', 'synchronous_commit',
                    'full_page_writes', 'shared_buffers', 'max_wal_size', 'jit']) AS name",
                &[],
            )
            .await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Flushes a second that the disk of the private server does, 8 KiB each (`pg_test_fsync`, fdatasync); and transactions a
    /// second of pgbench with 8 clients. None where the programs or the directory are not at hand.
    pub(super) async fn disk_and_pgbench(&self) -> Result<(Option<f64>, Option<f64>)> {
        let Ok(programs) = programs() else { return Ok((None, None)) };
        let fsync = match &self.own {
            Some(own) => {
                let mut test = as_server(&programs.join("pg_test_fsync"));
                test.args(["-s", "1", "-f"]).arg(own.dir.path().join("fsync"));
                number_after(&run(&mut test).await?, "fdatasync")
            }
            None => None,
        };
        self.make(Database::Pgbench).await?;
        let url = self.url(Database::Pgbench, None)?;
        run(Command::new(programs.join("pgbench")).args(["-i", "-q", "-s", "20", &url]))
            .await
            .context("filling pgbench's tables")?;
        let measured = run(Command::new(programs.join("pgbench")).args(["-c", "8", "-j", "2", "-T", "10", &url])).await?;
        Ok((fsync, number_after(&measured, "tps =")))
    }
}

/// The databases of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Database {
    /// The fleet, with the lines that are refused at submission.
    Fleet,
    /// An order of each kind that was submitted; since then lines were archived, deactivated and changed.
    PlanChange,
    /// See [`Self::PlanChange`].
    AmopAssignment,
    /// The copy that a leg works on.
    Work,
    /// pgbench's own.
    Pgbench,
}

impl Database {
    const ALL: [Self; 5] = [Self::Fleet, Self::PlanChange, Self::AmopAssignment, Self::Work, Self::Pgbench];

    /// Its name on the server.
    pub(super) fn name(self) -> String {
        let name = match self {
            Self::Fleet => "fleet",
            Self::PlanChange => "plan_change",
            Self::AmopAssignment => "amop_assignment",
            Self::Work => "work",
            Self::Pgbench => "pgbench",
        };
        format!("{PREFIX}{name}")
    }
}

/// Connects; what drives the connection ends with it.
pub(super) async fn connect(config: &Config) -> Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("connecting to the server")?;
    tokio::spawn(async move {
        // What went wrong with it, whoever waits for an answer is told.
        drop(connection.await);
    });
    Ok(client)
}

/// The directory of the server's programs, as Debian's package has it; the newest.
fn programs() -> Result<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found
        .pop()
        .context("there is no PostgreSQL in /usr/lib/postgresql: install the package postgresql, or name a server with --store")
}

/// A command that runs as the server's user: PostgreSQL refuses to run as root.
fn as_server(program: &Path) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

async fn run(command: &mut Command) -> Result<String> {
    let output = command.kill_on_drop(true).output().await?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?} ended {}: {said}", output.status);
    Ok(said)
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("; ")
}

/// The first number behind a word, wherever in the text.
fn number_after(text: &str, word: &str) -> Option<f64> {
    text.split(word).nth(1)?.split_whitespace().find_map(|part| part.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_behind_its_word() {
        let said = "open_datasync   1200.5 ops/sec\n        fdatasync      3047.882 ops/sec     328 usecs/op\n";
        assert_eq!(number_after(said, "fdatasync"), Some(3047.882));
        assert_eq!(number_after(said, "fsync_writethrough"), None);
    }
}
