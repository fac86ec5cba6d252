use testkit::both_databases;
use crate::house::{House, OWNER, attempt};
both_databases! {
    async fn auc(db: TestDb) {
        let house = House::build(&db).await;
        // password of default cost
        let gate = access::Gate::new(access::AccessOptions::default(), db.store.chance().clone()).unwrap();
        let tx = db.store.read(house.operator()).await.unwrap(); drop(tx);
        access::staff_password_set(&db.store, &gate, house.operator(), house.owner.id, &"some other long one".into()).await.unwrap();
        let mut bytes = [0u8; 800];
        db.store.chance().fill(&mut bytes);
        let (mut k, mut u) = (vec![], vec![]);
        for (n, b) in bytes.iter().enumerate() {
            let known = b & 1 == 0;
            let email = if known { OWNER } else { "nobody@kite.example" };
            let addr = format!("10.9.{}.{}", n / 200, n % 200);
            let t = std::time::Instant::now();
            let _ = access::sign_in(&db.store, &gate, attempt(email, "wrong password here", &addr)).await.unwrap_err();
            let e = t.elapsed().as_secs_f64() * 1e3;
            if known { k.push(e) } else { u.push(e) }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let mut wins = 0.0;
        for a in &k { for b in &u { if a > b { wins += 1.0 } else if a == b { wins += 0.5 } } }
        let med = |v: &mut Vec<f64>| { v.sort_by(f64::total_cmp); v[v.len()/2] };
        println!("AUC {} known {:.2} unknown {:.2} ({} {})", wins / (k.len() * u.len()) as f64, med(&mut k), med(&mut u), k.len(), u.len());
    }
}
