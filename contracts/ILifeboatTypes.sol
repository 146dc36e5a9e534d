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

    /// @dev A standard exit as it started. L1 keeps 200 bits of its hash; ExitStarted carries it whole.
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
    }

    enum ExitState {
        None,
        Locked,
        Queued,
        Ticket,
        Settled,
        Removed
    }

    enum Removal {
        Void,
        Invalid,
        Spent
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
        uint128 bond
    );
    event EvidenceShown(bytes32 indexed outputId, uint64 indexed spend, address challenger, uint256 reward);
    event EvidenceDropped(bytes32 indexed outputId, uint64 indexed spend);
    event ExitPaid(bytes32 indexed outputId, uint128 amount);
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
    error BlockUnexpected(uint256 got, uint256 want);
    error BlockVoid(uint256 got, uint256 voidFrom);
    error BondTooSmall(uint256 got, uint256 want);
    error ChainHalted(uint256 voidFrom);
    error CommitmentMalformed(uint256 blockNumber);
    error DepositUnknown(uint64 position);
    error DirectCall();
    error EvidenceKnown(bytes32 outputId, uint64 spend);
    error EvidenceNotFinal(uint64 spend);
    error EvidenceStands(uint64 spend);
    error EvidenceTooLate(uint256 got, uint256 deadline);
    error EvidenceUnknown(bytes32 outputId, uint64 spend);
    error ExitMismatch(bytes32 outputId);
    error HeaderMismatch(uint256 blockNumber);
    error InputMismatch(uint256 got, uint256 want);
    error LedgerFull(address token);
    error MandateRefused(bytes32 reason);
    error NotCovered(uint256 funded, uint256 from);
    error NotIncluded(uint64 position);
    error NotOperator(address got, address want);
    error NotOwner(address got, address want);
    error NothingToDo();
    error OutputMissing(uint64 position);
    error ModuleMismatch(address module);
    error ParametersImpossible(bytes32 rule);
    error SpendTooYoung(uint256 anchor, uint256 lockedAt);
    error StateUnexpected(bytes32 outputId, ExitState got);
    error TokenUnsupported(address token);
    error TooManyDeposits(uint256 blockNumber);
    error TransferFailed(address token, address account);
    error UnknownCall(bytes4 selector);
    error WitnessForged(address got, address want);
}
