import { insertRow, type Projections } from './projection.ts'

/** Disputes: who challenged what, who stood up for it, how many moves it took and who won. */
export const refereeProjections: Projections = {
  'referee.Challenged': (database, { seq, args }) =>
    insertRow(database, 'challenges', {
      seq,
      challenge: args.whole('id'),
      job: args.whole('jobId'),
      subject: args.hex('subject'),
      challenger: args.hex('challenger'),
      segment: args.whole('segment'),
    }),
  'referee.GameOpened': (database, { seq, args }) =>
    insertRow(database, 'games', {
      seq,
      game: args.whole('game'),
      challenge: args.whole('id'),
      champion: args.hex('champion'),
    }),
  'referee.Moved': (database, { seq, args }) =>
    insertRow(database, 'moves', {
      seq,
      game: args.whole('game'),
      move: args.whole('move'),
      by_challenger: args.args.byChallenger === true,
    }),
  'referee.GameEnded': (database, { seq, args }) =>
    insertRow(database, 'game_ends', {
      seq,
      game: args.whole('game'),
      winner: args.hex('winner'),
      move: args.whole('by'),
    }),
}
