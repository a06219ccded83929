import type { GossipsubOpts } from '@libp2p/gossipsub'

/** Several nodes on one of these addresses are expected; loopback is one's own machine by definition. */
export const OWN_MACHINE: readonly string[] = ['127.0.0.1', '::1']

/**
 * How messages spread: a mesh of 8 neighbours per node (5 to 14), one's own messages to every neighbour. More than the
 * library's 6, because a neighbour outside the mesh hears a message a second or two later, and messages here are few.
 *
 * A rejected message costs its sender 10 points, squared with repetition: one is enough to leave the mesh, three in a
 * row to be ignored; it is forgiven within about a minute (P-33). Nothing is asked of quiet neighbours: a training network
 * has long silences, and the library's default would punish them. Late answers are forgiven too, up to a point: a node
 * in the middle of a training step answers nobody for seconds.
 *
 * @param topic the only topic joined and listened to
 * @param sharedHosts addresses on which any number of peers may run, or 'any'; elsewhere 10 share one without penalty,
 *   every further one costs points squared, which is what makes a crowd of invented peers expensive
 */
export function gossipSettings(topic: string, sharedHosts: 'any' | readonly string[]): Partial<GossipsubOpts> {
  return {
    D: 8,
    Dlo: 5,
    Dhi: 14,
    Dout: 3,
    pruneBackoff: 15_000,
    // Author and number, as the full id: a copy is known before its signature is checked, which costs a millisecond and
    // would be paid once per neighbour. Only messages whose signature held are remembered, so nobody can claim an id.
    fastMsgIdFn: (message) => `${text(message.from)}:${text(message.seqno)}`,
    floodPublish: true,
    fallbackToFloodsub: false,
    allowedTopics: [topic],
    // Nobody listening yet is a normal state of a starting network; `publish` tells the caller.
    allowPublishToZeroTopicPeers: true,
    gossipsubIWantFollowupMs: 10_000,
    scoreParams: {
      topics: {
        [topic]: {
          topicWeight: 1,
          timeInMeshWeight: 0.01,
          timeInMeshQuantum: 1000,
          timeInMeshCap: 100,
          firstMessageDeliveriesWeight: 0.1,
          firstMessageDeliveriesDecay: 0.9,
          firstMessageDeliveriesCap: 20,
          meshMessageDeliveriesWeight: 0,
          meshMessageDeliveriesDecay: 0.5,
          meshMessageDeliveriesCap: 1,
          meshMessageDeliveriesThreshold: 1,
          meshMessageDeliveriesWindow: 10,
          meshMessageDeliveriesActivation: 5000,
          meshFailurePenaltyWeight: 0,
          meshFailurePenaltyDecay: 0.5,
          invalidMessageDeliveriesWeight: -10,
          invalidMessageDeliveriesDecay: 0.95,
        },
      },
      IPColocationFactorWeight: sharedHosts === 'any' ? 0 : -5,
      IPColocationFactorThreshold: 10,
      IPColocationFactorWhitelist: new Set(sharedHosts === 'any' ? [] : sharedHosts),
      behaviourPenaltyWeight: -1,
      behaviourPenaltyThreshold: 6,
      behaviourPenaltyDecay: 0.9,
    },
    scoreThresholds: { gossipThreshold: -20, publishThreshold: -50, graylistThreshold: -80 },
  }
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('latin1')
}
