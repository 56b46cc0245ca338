//! The five questions of the demo: Convoke through Flight SQL beside DuckDB in its own process.

use convoke::cli::questions::{Question, questions};
use convoke::shop::Shop;

use super::answers;
use super::client::Client;
use super::duckdb::DuckDb;
use super::samples::median;

pub async fn measure(shop: &Shop, client: &mut Client, mut peer: Option<DuckDb>, repeats: usize) -> anyhow::Result<()> {
    let questions = questions(shop);
    // Warms both sides up, too.
    check_answers(&questions, client, peer.as_ref()).await?;
    let mut times = vec![(Vec::new(), Vec::new()); questions.len()];
    for repeat in 0..repeats.max(1) {
        for (at, question) in questions.iter().enumerate() {
            // In turns, so that a slow moment of the machine hits both.
            for ours in [repeat % 2 == 0, repeat % 2 == 1] {
                if ours {
                    let reading = client.read(&question.statement, drop).await?;
                    times[at].0.push(reading.total.as_secs_f64() * 1e3);
                } else if let Some(peer) = &mut peer {
                    times[at].1.push(peer.time(at + 1)?);
                }
            }
        }
    }
    print(&questions, &times, peer.as_ref(), repeats.max(1));
    println!();
    Ok(())
}

async fn check_answers(questions: &[Question], client: &mut Client, peer: Option<&DuckDb>) -> anyhow::Result<()> {
    for (at, question) in questions.iter().enumerate() {
        let mut batches = Vec::new();
        client.read(&question.statement, |batch| batches.push(batch)).await?;
        if let Some(peer) = peer {
            let theirs = answers::of_file(&peer.answer(at + 1))?;
            answers::check_same(&question.statement, &answers::of_batches(&batches)?, &theirs)?;
        }
    }
    Ok(())
}

fn print(questions: &[Question], times: &[(Vec<f64>, Vec<f64>)], peer: Option<&DuckDb>, repeats: usize) {
    let version = peer.map_or("not there", |peer| peer.version.as_str());
    println!("| question (median of {repeats}, in turns) | Convoke, ms | DuckDB {version}, ms | ratio |");
    println!("|---|---|---|---|");
    for (question, (ours, theirs)) in questions.iter().zip(times) {
        let (ours, theirs) = (median(ours), median(theirs));
        println!("| {} | {ours:.1} | {theirs:.1} | {:.2} |", question.text, ours / theirs);
    }
}
