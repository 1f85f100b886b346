//! `lineshift admin create-admin` and `lineshift admin user`

use std::io::{BufRead as _, Read as _};

use anyhow::{Context as _, Result, anyhow};
use clap::Subcommand;
use lineshift_domain::ids::{PrincipalId, RoleId, TenantId};
use lineshift_domain::names::is_name;
use lineshift_domain::passwords::password_problems;
use lineshift_domain::reach::Reach;
use lineshift_domain::roles::{ADMINISTRATOR, READY_MADE};
use lineshift_domain::scopes::Scopes;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::Store;
use lineshift_store::people::{Member, Membership, NewUser, Role};
use lineshift_web::passwords::hash_password;
use lineshift_web::{Invitation, read_email};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::accounts;
use super::activity;
use super::reached::{read_reach, require_there};
use crate::audited::{Asked, Told, audited};
use crate::cli::Context;
use crate::exit::{Done, Refused, WrongCall};
use crate::output::Output;
use crate::stores;

/// More than any password: whoever pipes something else in gets no megabytes read.
const MOST_PASSWORD_BYTES: u64 = 1_024;

/// Make somebody administrator of a tenant.
///
/// They get an invitation, shown this once: a new person sets a password with it, and who has an account already signs in and accepts. Or a new person gets the password that is given here.
#[derive(Debug, clap::Args)]
pub(super) struct AdminArgs {
    /// The address with which they sign in.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// How they are called; their address by default.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Take the password of a new person from standard input, up to the end of the line, instead of inviting them.
    #[arg(long)]
    password_stdin: bool,
    /// The tenant, by name or id; may be left out where there is only one.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the people of a tenant.
    List {
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Add somebody to a tenant. They get an invitation, shown this once: a new person sets a password with it, and who has an account already signs in and accepts.
    Add {
        /// The address with which they sign in.
        email: String,
        /// How they are called; their address by default.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// A role, by name; may be given several times.
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<String>,
        /// Whose lines they see and may order: words such as customer:5, site:7, service_provider:2; * is everything.
        #[arg(long, value_name = "WORDS", default_value = "*")]
        reach: String,
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take somebody out of a tenant, with their sessions there. What they did stays written down; changes under way that they ordered end rights_lost. An account that no tenant has any more is begun anew by whoever takes up the next invitation to it.
    Remove {
        /// Their id, or their address.
        who: String,
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Invite somebody anew, who lost the invitation or forgot the password. The invitation is shown this once; an earlier one counts no more.
    ///
    /// Make sure who asks: whoever has it sets the password of the account, whatever tenants they belong to. Somebody who has not joined a tenant yet is invited to it by --tenant.
    Invite {
        /// Their address.
        email: String,
        /// Invite them to join that tenant, by name or id, which has added them.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask somebody for one-time passwords no more, who lost their authenticator, and sign them out everywhere.
    ///
    /// Make sure who asks: their password alone lets somebody in afterwards.
    ResetOneTimePasswords {
        /// Their address.
        email: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Keep somebody from acting in a tenant from now on, and sign them out of it. Changes under way that they ordered end rights_lost.
    Deactivate {
        /// Their id, or their address.
        who: String,
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Keep somebody from signing in at all, in every tenant, and sign them out everywhere.
    Disable {
        /// Their address.
        email: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let somebody sign in again who was kept from it.
    Enable {
        /// Their address.
        email: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Makes somebody administrator.
pub(super) async fn create_admin(args: AdminArgs, context: &Context) -> Result<Done> {
    let AdminArgs { email, name, password_stdin, tenant, json } = args;
    let store = stores::open_existing(context).await?;
    let tenant = stores::choose_tenant(&*store, tenant.as_deref()).await?;
    let mut person = read_person(&email, name.as_deref())?;
    if password_stdin {
        let known = store.find_user_by_email(&person.email).await?;
        let is_relied_on = match known {
            Some(user) => !store.list_tenants_of(user.id).await?.is_empty(),
            None => false,
        };
        if is_relied_on {
            let message = format!("{} is known already and keeps their password; leave --password-stdin out", person.email);
            return Err(Refused(message).into());
        }
        person.password_hash = Some(read_password(&person)?);
    }
    let asked = Asked { tenant: tenant.id, action: "admin create-admin", target: None };
    // Within the entry, since it may make the role anew.
    let membership = async {
        let roles = vec![administrator(&*store, tenant.id).await?];
        Ok(Membership { roles, reach: Reach::Everything, is_active: true })
    };
    add(&*store, context, asked, &person, membership, Output::by_flag(json)).await
}

/// The hash of the password at standard input, if it is strong enough.
fn read_password(person: &NewUser) -> Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().take(MOST_PASSWORD_BYTES).read_line(&mut text).context("reading the password at standard input")?;
    let password = SecretString::from(text.trim_end_matches(['\r', '\n']));
    let problems = password_problems("password", password.expose_secret(), &person.email, &person.display_name);
    if !problems.is_empty() {
        let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        return Err(Refused(format!("this password is not taken: {}", said.join("; "))).into());
    }
    Ok(hash_password(&password)?)
}

/// The role that may do everything. A tenant may have taken it away, or have changed what it allows.
async fn administrator(store: &dyn Store, tenant: TenantId) -> Result<RoleId> {
    let roles = store.list_roles(tenant).await?;
    match roles.iter().find(|role| role.name == ADMINISTRATOR) {
        Some(role) if role.scopes.covers(&Scopes::all()) => Ok(role.id),
        Some(_) => {
            let message = format!("the tenant's role {ADMINISTRATOR} does not allow everything; add somebody with other roles");
            Err(Refused(message).into())
        }
        None => Ok(store.create_role(tenant, ADMINISTRATOR, &Scopes::all()).await?),
    }
}

/// Runs the command.
pub(super) async fn run(command: Command, context: &Context) -> Result<Done> {
    let store = stores::open_existing(context).await?;
    match command {
        Command::List { tenant, json } => {
            let tenant = stores::choose_tenant(&*store, tenant.as_deref()).await?;
            list(&*store, tenant.id, Output::by_flag(json)).await
        }
        Command::Add { email, name, roles, reach, tenant, json } => {
            let tenant = stores::choose_tenant(&*store, tenant.as_deref()).await?;
            let (person, reach) = (read_person(&email, name.as_deref())?, read_reach(&reach)?);
            require_there(&*store, tenant.id, &reach).await?;
            let roles = choose_roles(&store.list_roles(tenant.id).await?, &roles, &reach)?;
            let membership = Membership { roles, reach, is_active: true };
            let asked = Asked { tenant: tenant.id, action: "admin user add", target: None };
            add(&*store, context, asked, &person, async { Ok(membership) }, Output::by_flag(json)).await
        }
        Command::Remove { who, tenant, json } => {
            let tenant = stores::choose_tenant(&*store, tenant.as_deref()).await?;
            let member = find(&*store, tenant.id, &who).await?;
            let asked = Asked { tenant: tenant.id, action: "admin user remove", target: Some(format!("users/{}", member.id)) };
            audited(&*store, context, asked, async {
                store.remove_member(tenant.id, member.id).await?;
                Ok(((), Told::default()))
            })
            .await?;
            let shown = format!("user {} ({}) belongs to {} no more", member.id, member.email, tenant.name);
            Output::by_flag(json).one(&shown, &json!({ "id": member.id, "email": member.email, "removed": true }))?;
            Ok(Done::Fully)
        }
        Command::Invite { email, tenant, json } => {
            let tenant = match tenant {
                Some(named) => Some(stores::choose_tenant(&*store, Some(&named)).await?.id),
                None => None,
            };
            accounts::invite(&*store, context, &email, tenant, Output::by_flag(json)).await
        }
        Command::ResetOneTimePasswords { email, json } => {
            accounts::reset_one_time_passwords(&*store, context, &email, Output::by_flag(json)).await
        }
        Command::Deactivate { who, tenant, json } => {
            let tenant = stores::choose_tenant(&*store, tenant.as_deref()).await?;
            let member = find(&*store, tenant.id, &who).await?;
            let membership = Membership { roles: member.roles, reach: member.reach, is_active: false };
            let asked =
                Asked { tenant: tenant.id, action: "admin user deactivate", target: Some(format!("users/{}", member.id)) };
            audited(&*store, context, asked, async {
                store.update_member(tenant.id, member.id, &membership).await?;
                Ok(((), Told::default()))
            })
            .await?;
            let shown = format!("user {} ({}) may not act for {} from now on", member.id, member.email, tenant.name);
            let value = json!({ "id": member.id, "email": member.email, "is_active": false });
            Output::by_flag(json).one(&shown, &value)?;
            Ok(Done::Fully)
        }
        Command::Disable { email, json } => activity::disable(&*store, context, &email, Output::by_flag(json)).await,
        Command::Enable { email, json } => activity::enable(&*store, context, &email, Output::by_flag(json)).await,
    }
}

fn read_person(email: &str, name: Option<&str>) -> Result<NewUser> {
    let address =
        read_email(email).ok_or_else(|| WrongCall(format!("found {email:?}, expected an address such as ann@example.com")))?;
    let display_name = name.map_or(address.as_str(), str::trim).to_owned();
    if !is_name(&display_name, 200) {
        let message = "a person's name has 1 to 200 characters, none of them a control character or invisible";
        return Err(Refused(message.to_owned()).into());
    }
    Ok(NewUser { email: address, display_name, password_hash: None })
}

fn choose_roles(roles: &[Role], named: &[String], reach: &Reach) -> Result<Vec<RoleId>> {
    let mut chosen = Vec::new();
    for name in named {
        let Some(role) = roles.iter().find(|role| role.name == *name) else {
            let known: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
            return Err(WrongCall(format!("there is no role {name:?}; there are: {}", known.join(", "))).into());
        };
        if reach.is_everything() && READY_MADE.iter().any(|ready| ready.is_limited && ready.name == role.name) {
            return Err(WrongCall(format!("whoever is {name:?} must be limited: say by --reach to whom")).into());
        }
        chosen.push(role.id);
    }
    Ok(chosen)
}

async fn add(
    store: &dyn Store,
    context: &Context,
    asked: Asked<'_>,
    person: &NewUser,
    membership: impl Future<Output = Result<Membership>>,
    output: Output,
) -> Result<Done> {
    let (tenant, now) = (asked.tenant, SystemClock.now());
    let invitation = Invitation::of_tenant(tenant, now).map_err(|error| anyhow!("making an invitation: {error}"))?;
    let id = audited(store, context, asked, async {
        let id = store.add_person(tenant, person, &membership.await?, &invitation.stored, now).await?.member;
        let made = Some(format!("users/{id}"));
        Ok((id, Told { made, ..Told::default() }))
    })
    .await?;
    let email = &person.email;
    if person.password_hash.is_some() {
        let value = json!({ "id": id, "email": email, "invitation": null });
        output.one(&format!("user {id} ({email}) was added and signs in with that password"), &value)?;
        return Ok(Done::Fully);
    }
    let Invitation { token, stored } = &invitation;
    let shown = format!(
        "user {id} ({email}) was added; until {} UTC they join with the invitation {token}: with a password that they set, or signed in \
         where they have an account already\nIt is shown this once; hand it to them alone.",
        stored.ends_at.format("%F %H:%M"),
    );
    let value = json!({ "id": id, "email": email, "invitation": { "token": token, "ends_at": stored.ends_at } });
    output.one(&shown, &value)?;
    Ok(Done::Fully)
}

async fn find(store: &dyn Store, tenant: TenantId, who: &str) -> Result<Member> {
    if let Ok(id) = who.parse() {
        return Ok(store.get_member(tenant, PrincipalId(id)).await?);
    }
    let user = match read_email(who) {
        Some(email) => store.find_user_by_email(&email).await?,
        None => None,
    };
    let member = match user {
        Some(user) => store.find_member_of(tenant, user.id).await?,
        None => None,
    };
    member.ok_or_else(|| Refused(format!("nobody with the address {who:?} belongs to the tenant")).into())
}

async fn list(store: &dyn Store, tenant: TenantId, output: Output) -> Result<Done> {
    let roles = store.list_roles(tenant).await?;
    let mut members = Vec::new();
    let mut after = None;
    loop {
        let page = store.list_members(tenant, after, lineshift_store::paging::MAX_PAGE_ITEMS).await?;
        members.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let names = |member: &Member| {
        let named = roles.iter().filter(|role| member.roles.contains(&role.id));
        named.map(|role| role.name.clone()).collect::<Vec<_>>()
    };
    let state = |member: &Member| match (member.is_active, member.is_pending) {
        (false, _) => "inactive",
        (true, true) => "invited",
        (true, false) => "active",
    };
    let row = |member: &Member| {
        let shown = [member.email.clone(), member.display_name.clone(), state(member).to_owned(), names(member).join(", ")];
        [vec![member.id.to_string()], shown.to_vec(), vec![member.reach.to_string()]].concat()
    };
    let value = |member: &Member| {
        json!({
            "id": member.id,
            "email": member.email,
            "display_name": member.display_name,
            "is_active": member.is_active,
            "is_pending": member.is_pending,
            "roles": names(member),
            "reach": member.reach.to_string(),
            "created_at": member.created_at,
        })
    };
    let headers = ["id", "address", "name", "state", "roles", "reach"];
    output.list(&headers, members.iter().map(row).collect(), &members.iter().map(value).collect::<Vec<_>>())?;
    Ok(Done::Fully)
}
