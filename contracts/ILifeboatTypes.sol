// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Structs, events and errors of the root contract and its modules
/// @dev Units as in ILifeboat.sol. Every preimage that L1 keeps only as a hash is in exactly one event.
interface ILifeboatTypes {
    struct Output {
        address owner;
        address token;
        uint256 amount;
        bytes32 condition;
    }

    struct Transaction {
        uint64[] inputs;
        Output[] outputs;
        bytes32 memo;
    }

    struct Commitment {
        bytes32 root;
        uint32 txCount;
        uint32 anchor;
    }

    /// @dev L1 keeps 200 bits of its hash; callers bring it.
    struct Header {
        bytes32 root;
        uint40 timestamp;
        uint32 txCount;
        uint32 anchor;
    }

    /// @dev `path`: siblings from the leaf up, those that lie wholly at index >= txCount left out.
    struct Inclusion {
        Header header;
        bytes32[] path;
    }

    /// @dev A standard exit as it started. L1 keeps 200 bits of its hash; ExitStarted carries it whole. `disputed`: the transaction whose
    /// dispute stands for the inclusion proof, 0 for none; `position` is then the dispute's `agePosition`.
    struct Exit {
        bytes32 outputId;
        uint64 position;
        address owner;
        address token;
        uint128 amount;
        bool young;
        uint40 seq;
        uint40 startedAt;
        uint40 exitableAt;
        uint40 lockedAt;
        address payer;
        uint128 bond;
        bytes32 disputed;
    }

    /// @dev A dispute as it started. L1 keeps 200 bits of its hash; DisputeStarted carries it whole. `agePosition`: the youngest input that
    /// is a transaction's output, or if there is none the youngest deposit; `ageTime` its block's time, 0 for a deposit. `lockedAt`: the
    /// least of the inputs'. `suspends`: bit i says that exits of input i wait for the verdict.
    struct Dispute {
        bytes32 txHash;
        uint64 agePosition;
        uint40 ageTime;
        uint40 startedAt;
        uint40 exitableAt;
        uint40 lockedAt;
        uint16 suspends;
        address starter;
        uint128 bond;
        bytes32 inputsHash;
    }

    /// @dev An output that the disputed transaction spends; `inputsHash` is the keccak256 of all of them back to back. `madeBy`: the
    /// transaction that made it, 0 for a deposit.
    struct DisputeInput {
        bytes32 outputId;
        bytes32 madeBy;
        uint64 position;
        address owner;
        address token;
        uint128 amount;
        uint40 lockedAt;
    }

    /// @dev Shows that an input exists. For a deposit `transaction` has the deposit as its one output, the rest is not looked at.
    struct InputProof {
        Transaction transaction;
        bytes32 witnessesHash;
        Inclusion proof;
    }

    /// @dev A transaction of a block, with all that its leaf commits to. `position` is that of its output 0.
    struct Offence {
        uint64 position;
        Transaction transaction;
        bytes witnesses;
        Inclusion proof;
    }

    /// @dev A transaction that stands at a position known from elsewhere.
    struct Included {
        bytes32 txHash;
        bytes32 witnessesHash;
        Inclusion proof;
    }

    /// @dev Where a transaction stands.
    struct Place {
        uint64 position;
        bytes32 witnessesHash;
        Inclusion proof;
    }

    struct Mandate {
        address owner;
        address delegate;
        uint64 validFrom;
        uint64 validUntil;
        uint64 position;
        uint128 minAmount;
        uint128 maxFee;
        uint64 epoch;
    }

    /// @dev How a batch's entries are written, big-endian: each position as its distance from the one before (the first from `base`), then the
    /// amount. Distances of few bytes keep 10,000 entries below the 128 KiB that L1's nodes pass on.
    struct EntryFormat {
        uint64 base;
        uint8 positionBytes;
        uint8 amountBytes;
    }

    /// @dev A mass exit as it started; `batchId` is keccak256 of its encoding, and BatchStarted carries it whole. `last`: its greatest position;
    /// `madeAt`: the time of that position's block, 0 for block 0.
    struct Batch {
        bytes32 root;
        uint32 count;
        address token;
        uint128 total;
        uint64 last;
        uint40 madeAt;
        uint40 startedAt;
        address coordinator;
        uint128 bond;
    }

    /// @dev What several proofs of one call share: their paths pick siblings out of `nodes`.
    struct Shared {
        Header[] headers;
        bytes32[] nodes;
    }

    /// @dev An entry where it stands in its batch. `before`: the sum of the amounts of the entries in front of it. `picks`: 2 bytes for each
    /// sibling of its path.
    struct BatchEntry {
        uint32 index;
        uint64 position;
        uint128 amount;
        uint128 before;
        bytes picks;
    }

    /// @dev What stands at an entry's position. For a deposit `transaction` has the deposit as its one output, the rest is not looked at;
    /// nor is the transaction where the block has no such index.
    struct BatchOutput {
        Transaction transaction;
        bytes32 witnessesHash;
        uint256 header;
        bytes picks;
    }

    struct BatchSpend {
        uint64 position;
        Transaction transaction;
        bytes witnesses;
        uint256 input;
        uint256 header;
        bytes picks;
    }

    /// @dev As EntriesClaimed tells it.
    struct ClaimedEntry {
        bytes32 outputId;
        address owner;
        uint32 index;
    }

    struct BatchClaim {
        BatchEntry entry;
        BatchOutput shown;
    }

    /// @dev What a processor brings: the exits of both streams in their order, the headers of the blocks that stream B stands at, and
    /// headers of blocks that hold evidence. What is already past is skipped; the first that is missing ends the call.
    struct Turns {
        Exit[] old;
        Exit[] young;
        Header[] youngBlocks;
        Header[] evidenceBlocks;
    }

    /// @dev Seconds unless named otherwise; rules of spec section 10 are checked by the constructor.
    struct Parameters {
        uint40 minExitPeriod;
        uint40 dataChallengePeriod;
        uint40 dataResponsePeriod;
        uint40 reaction;
        uint32 anchorAgeBlocks;
        uint32 slot;
        uint32 finalityBlocks;
        uint32 blockInterval;
        uint32 submissionMargin;
        uint40 abandonPeriod;
        uint32 maxBlockTxs;
        uint48 operatorBondGwei;
    }

    enum ExitState {
        None,
        Locked,
        Queued,
        Ticket,
        Settled,
        Removed,
        Cancelled,
        CancelledTicket
    }

    enum Removal {
        Void,
        Invalid,
        Spent,
        NotCanonical
    }

    enum BatchState {
        None,
        Started,
        Locked,
        Dissolved
    }

    enum Verdict {
        None,
        Running,
        Canonical,
        NotCanonical
    }

    /// @dev The headers' timestamp is that of the L1 block.
    event BlocksSubmitted(uint256 indexed firstBlock, Commitment[] commitments);
    event Deposited(uint64 indexed position, address indexed owner, address indexed token, uint128 amount);
    event ExitStarted(
        bytes32 indexed outputId,
        uint64 indexed position,
        address indexed owner,
        address token,
        uint128 amount,
        bool young,
        uint40 seq,
        uint40 startedAt,
        uint40 exitableAt,
        uint40 lockedAt,
        address payer,
        uint128 bond,
        bytes32 disputed
    );
    event EvidenceShown(bytes32 indexed outputId, uint64 indexed spend, address challenger, uint256 reward);
    /// @dev The same for an exit through a dispute; `place`: the position that the spend names.
    event DisputedEvidenceShown(
        bytes32 indexed outputId, uint64 indexed spend, uint64 indexed place, address challenger, uint256 reward
    );
    event EvidenceDropped(bytes32 indexed outputId, uint64 indexed spend, uint64 place);
    /// @dev The whole disputed transaction but for its inputs' positions, which `inputs` has in their order.
    event DisputeStarted(
        bytes32 indexed txHash, Dispute dispute, DisputeInput[] inputs, Output[] outputs, bytes32 memo, bytes witnesses
    );
    /// @dev `position` 0: not included.
    event CompetitorShown(
        bytes32 indexed txHash, bytes32 competitor, uint64 position, uint256 input, address challenger, uint256 reward
    );
    event DisputeAnswered(bytes32 indexed txHash, uint64 position);
    /// @dev `isMove`: blocks from `voidFrom` on became void by it; else the chain was closed or abandoned, and nothing became void.
    event HaltMoved(uint32 voidFrom, bool isMove);
    event TransactionDisproved(uint64 indexed position, address prover);
    event DisputeDecided(bytes32 indexed txHash, Verdict verdict);
    /// @dev `entries` as they came in.
    event BatchStarted(bytes32 indexed batchId, Batch batch, EntryFormat format, bytes entries);
    event EntryDemanded(bytes32 indexed batchId, uint32 index, uint64 position, address demander, uint256 bond);
    event DemandAnswered(bytes32 indexed batchId, uint32 index, bytes32 indexed outputId, uint256 reward);
    /// @dev `index`: the demand that nobody answered; 2^32 - 1: nobody locked it in time.
    event BatchDissolved(bytes32 indexed batchId, uint32 index);
    event BatchLocked(bytes32 indexed batchId, Exit item);
    event BatchClosed(bytes32 indexed batchId, uint256 returned);
    /// @dev Their amounts are in BatchStarted.
    event EntriesClaimed(bytes32 indexed batchId, ClaimedEntry[] claimed);
    event FeeTaken(bytes32 indexed batchId, bytes32 indexed outputId, uint128 fee);
    /// @dev An included transaction at `spend` names the position, with this signer's witness: evidence if he is the owner.
    event EntryStruck(
        bytes32 indexed batchId, uint64 indexed position, uint64 indexed spend, address signer, address challenger
    );
    event StrikeDropped(bytes32 indexed batchId, uint64 indexed position, uint64 indexed spend, address signer);
    event StrikePaid(bytes32 indexed batchId, uint64 indexed position, address challenger, uint256 reward);
    /// @dev The exit has the entry's share of the batch's place; `paid` of it at once.
    event EntryPlaced(bytes32 indexed batchId, uint32 index, bytes32 indexed outputId, uint128 paid);
    event EntryReleased(bytes32 indexed batchId, uint32 index, uint64 position, uint128 amount);
    event ExitPaid(bytes32 indexed outputId, uint128 amount);
    /// @dev `amount` is in ExitPaid too.
    event ExitInherited(bytes32 indexed outputId, bytes32 indexed fromOutputId, uint256 amount);
    /// @dev A place that was given up before the line got there: the interval waits until `freePlace` frees it.
    event PlaceLeft(address indexed token, uint128 from, uint128 due);
    event PlaceFreed(address indexed token, uint128 from, uint128 due);
    event ShareReleased(bytes32 indexed fromOutputId, bytes32 indexed outputId, uint256 amount);
    event ExitPostponed(bytes32 indexed outputId, uint128 from, uint128 due);
    event ExitRemoved(bytes32 indexed outputId, Removal reason);
    event Credited(address indexed token, address indexed account, uint256 amount);
    event Withdrawn(address indexed token, address indexed account, uint256 amount);
    event MandatesRevoked(address indexed owner, uint64 epoch);
    event OperatorNominated(address indexed nominee);
    event OperatorRotated(address indexed operator);

    error AlreadyExiting(bytes32 outputId, ExitState state);
    error AmountOutOfRange(uint256 got);
    error AnchorNotCanonical(uint256 anchor, bytes32 got, bytes32 want);
    error AnchorTooOld(uint256 got, uint256 oldest);
    error AnchorWentBack(uint256 got, uint256 previous);
    error AnchorNotMined(uint256 got, uint256 newest);
    error BatchMismatch(bytes32 batchId);
    error BatchUnexpected(bytes32 batchId, BatchState got);
    error BlockUnexpected(uint256 got, uint256 want);
    error BlockVoid(uint256 got, uint256 voidFrom);
    error BondTooSmall(uint256 got, uint256 want);
    error ChainHalted(uint256 voidFrom);
    error CommitmentMalformed(uint256 blockNumber);
    error CompetitorRefused(bytes32 reason);
    error DemandUnexpected(bytes32 batchId, uint256 index, uint256 got);
    error DemandsOpen(uint256 count);
    error DepositUnknown(uint64 position);
    error DirectCall();
    error DisputeKnown(bytes32 txHash, Verdict got);
    error DisputeMismatch(bytes32 txHash);
    error DisputeTooLate(uint256 got, uint256 deadline);
    error DisputeUndecidable(uint256 got, uint256 after_);
    error DisputedExit(bytes32 txHash);
    error EntriesMalformed(bytes32 reason, uint256 index);
    error EntryEmpty(bytes32 batchId, uint256 index);
    error EntryMismatch(bytes32 batchId, uint256 index);
    error EntryStands(bytes32 batchId, uint256 index);
    error EntryStruckBy(bytes32 batchId, uint64 spend);
    error EntryUsed(bytes32 batchId, uint256 index);
    error EvidenceKnown(bytes32 outputId, uint64 spend);
    error EvidenceNotFinal(uint64 spend);
    error EvidenceStands(uint64 spend);
    error EvidenceTooLate(uint256 got, uint256 deadline);
    error EvidenceUnknown(bytes32 outputId, uint64 spend);
    error ExitMissing(bytes32 outputId);
    error ExitMismatch(bytes32 outputId);
    error HeaderMismatch(uint256 blockNumber);
    error InputMismatch(uint256 got, uint256 want);
    error LedgerFull(address token);
    error MandateRefused(bytes32 reason);
    error NotBonded();
    error NotCovered(uint256 funded, uint256 from);
    error NotIncluded(uint64 position);
    error NotOperator(address got, address want);
    error NotOwner(address got, address want);
    error NotSurety(address got, address want);
    error NothingToDo();
    error OutputMissing(uint64 position);
    error ModuleMismatch(address module);
    error ParametersImpossible(bytes32 rule);
    error PieceKnown(bytes32 txHash, uint64 position);
    error PiecesMissing(uint256 count);
    error ShareMissing(bytes32 outputId, uint256 output);
    error ProofFailed(bytes32 rule);
    error SpendTooYoung(uint256 anchor, uint256 lockedAt);
    error StateUnexpected(bytes32 outputId, ExitState got);
    error TooLate(uint256 got, uint256 deadline);
    error TooEarly(uint256 got, uint256 after_);
    error TokenUnsupported(address token);
    error TooManyDeposits(uint256 blockNumber);
    error TransactionInvalid(uint64 position);
    error TransactionMalformed(bytes32 rule);
    error TransferFailed(address token, address account);
    error UnknownCall(bytes4 selector);
    error VerdictUnexpected(bytes32 txHash, Verdict got);
    error WitnessForged(address got, address want);
}
