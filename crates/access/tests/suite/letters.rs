//! Letters of the outbox, read as their recipients would.

use domain::{Letter, MailId};
use persistence::Store;

use crate::house::House;

/// The links in the letters to an address, the oldest first; what was read before is not read again.
pub async fn links(house: &House, to: &str) -> Vec<String> {
    house.gate.drain().await;
    read(&house.store, house, to).await
}

async fn read(store: &Store, house: &House, to: &str) -> Vec<String> {
    let tx = store.begin(house.operator()).await.expect("begins");
    let mut ids: Vec<MailId> =
        tx.mail_list().await.expect("lists").iter().filter(|row| row.recipient == to).map(|row| row.id).collect();
    ids.reverse();
    let mut links = Vec::new();
    for id in ids {
        let Some(mail) = tx.mail_take(id).await.expect("takes") else { continue };
        tx.mail_sent(id).await.expect("ends");
        match mail.letter {
            Letter::StaffInvitation { link, .. } | Letter::PasswordReset { link, .. } => links.push(link),
            Letter::PortalInvitation { .. } | Letter::Notice { .. } => panic!("another letter"),
        }
    }
    tx.commit_unjournalled().await.expect("commits");
    links
}

/// The token in a link.
pub fn token(link: &str) -> String {
    link.split_once('#').expect("a fragment").1.to_owned()
}
