// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title The root contract of a Lifeboat chain
/// @notice Holds the deposits, keeps a commitment per child block, and lets every owner leave in order of age.
/// @dev Units: amounts in the token's smallest unit, fees and bonds in wei, times in L1 seconds, `anchor` and `lockedAt` in L1 block
/// numbers. Ends of periods are inclusive; an exit is payable when `block.timestamp > exitableAt`. Rule numbers refer to docs/spec.md.
///
/// What follows an exit's turn, fallen evidence, keys and views are answered by a module in the root contract's storage (EvidenceModule.sol).
///
/// Assumed for safety: L1 does not reorganise past the operator's and watchers' finality; one honest watcher is online in every
/// period of MEP/4 and can get a transaction mined within REACTION. Assumed for liveness: somebody calls processExits.
interface ILifeboat is ILifeboatTypes {
    /// @notice Commits child blocks `firstBlock`, `firstBlock + 1`, ... Only the operator, only while the chain is live.
    /// @param anchorHash Hash of the last commitment's anchor block. Earlier anchors are its ancestors, so one hash settles them all.
    /// @dev `firstBlock` must be the next number, so that an L1 reorg cannot reorder submissions.
    function submitBlocks(uint256 firstBlock, Commitment[] calldata commitments, bytes32 anchorHash) external;

    /// @notice Names the key that may take the operator's place; it does so by `acceptOperator`. Only the operator.
    function nominateOperator(address nominee) external;

    function acceptOperator() external;

    /// @notice Deposits `msg.value` for `owner`. Refused once the chain is halted.
    function depositEth(address owner) external payable returns (uint64 position);

    /// @notice Deposits an ERC-20 for `owner`; what counts is what arrived, so a token that takes a fee is credited net of it.
    /// @dev Warning: a token that later shrinks balances, pauses or blocks addresses can leave its own owners short, nobody else's.
    function depositErc20(address token, uint256 amount, address owner) external returns (uint64 position);

    /// @notice The same with an EIP-2612 permit. A permit that somebody else used first does no harm.
    function depositErc20WithPermit(
        address token,
        uint256 amount,
        address owner,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint64 position);

    /// @notice Starts the exit of a transaction's output. The caller is its owner and posts the bond (`exitBond`); all of
    /// `msg.value` is bond.
    /// @param witnessesHash keccak256 of the transaction's witnesses.
    /// @param youngHint A child block with young exits, below the exit's; only saves gas.
    function startStandardExit(
        uint64 position,
        Transaction calldata transaction,
        bytes32 witnessesHash,
        Inclusion calldata proof,
        uint32 youngHint
    ) external payable;

    /// @notice The same for somebody else, by their mandate. The money goes to the owner, the bond back to the caller.
    function startStandardExitFor(
        uint64 position,
        Transaction calldata transaction,
        bytes32 witnessesHash,
        Inclusion calldata proof,
        uint32 youngHint,
        Mandate calldata mandate,
        bytes calldata signature
    ) external payable;

    /// @notice Starts the exit of a deposit that was never spent. The caller is its owner.
    function startDepositExit(uint64 position, address token, uint128 amount) external payable;

    function startDepositExitFor(
        uint64 position,
        address token,
        uint128 amount,
        Mandate calldata mandate,
        bytes calldata signature
    ) external payable;

    /// @notice Shows that the exiting output was spent by an included transaction. The first who shows one is paid from the bond.
    /// @param spend Position of the spending transaction (its output 0).
    /// @param input Index of the exiting output among the transaction's inputs.
    function challengeStandardExit(
        Exit calldata exit,
        uint64 spend,
        Transaction calldata transaction,
        bytes calldata witnesses,
        Inclusion calldata proof,
        uint256 input
    ) external;

    /// @notice Takes back a piece of evidence whose block became void or whose transaction was proven invalid.
    function dropEvidence(bytes32 outputId, uint64 spend) external;

    /// @notice Gives exits their turn, oldest first, at most `maxCount` of them. Anyone; the bounties go to the caller.
    /// @dev Pays ETH by a gas-capped call and credits what fails; credits ERC-20 always: no token code runs here.
    function processExits(uint256 maxCount, Turns calldata turns) external returns (uint256 processed);

    /// @notice Pays exits whose turn has passed and that have become payable. Anyone; skips those that are not.
    function settle(Exit[] calldata exits) external returns (uint256 settled);

    /// @notice Frees what is reserved for an exit that nobody is owed: void, invalid, or spent in a block that is final.
    /// @param spend A standing piece of evidence; with `evidenceBlock`, the header of its block, ignored for a void or invalid exit.
    function release(Exit calldata exit, uint64 spend, Header calldata evidenceBlock) external;

    /// @notice Sends `account` what is credited to it. Anyone may call; the money only goes there.
    function withdraw(address token, address account) external returns (uint256 amount);

    /// @notice Revokes all mandates of the caller's series `epoch`, at once and for ever.
    function revokeMandates(uint64 epoch) external;

    function revokeMandatesFor(address owner, uint64 epoch, bytes calldata signature) external;

    /// @notice The least bond of a standard exit at this block's base fee.
    function exitBond() external view returns (uint256 bondWei);

    function parameters() external view returns (Parameters memory);

    function operator() external view returns (address);

    function domainSeparator() external view returns (bytes32);

    /// @dev `voidFrom`: first void block, 0 while live.
    /// `newest`: newest child block, 0 before the first.
    function head()
        external
        view
        returns (
            uint32 voidFrom,
            uint32 newest,
            uint40 newestTime,
            uint32 newestAnchor,
            uint24 depositCount,
            uint32 slowFeeGwei,
            uint40 lastMove
        );

    /// @dev `oldHead`: next turn of stream A; `oldTail` the next free place.
    /// `youngFirst`: first block of stream B, 0 for none; `youngCursor` the next turn inside it.
    function queue()
        external
        view
        returns (uint40 oldHead, uint40 oldTail, uint32 youngFirst, uint32 youngNewest, uint32 youngCursor);

    /// @dev `headerHash`: first 25 bytes of keccak256(header).
    function blockRecord(uint256 blockNumber)
        external
        view
        returns (bytes25 headerHash, uint24 youngCount, uint32 youngNext);

    function depositRecord(uint256 position) external view returns (bytes27 depositHash, uint40 l1Block);

    /// @dev `exitHash`: first 25 bytes of keccak256(exit).
    /// `evidence`: position of the first standing piece, 0 for none.
    function exitRecord(bytes32 outputId)
        external
        view
        returns (bytes25 exitHash, ExitState state, uint64 evidence, bool hasMore, bool rewarded);

    /// @dev `from`: where on the token's line the reservation begins; `due` how much it is.
    function ticket(bytes32 outputId) external view returns (uint128 from, uint128 due);

    /// @dev `funded`: deposits and releases so far; `line` everything reserved at a turn so far.
    function totals(address token) external view returns (uint128 funded, uint128 line);

    function credit(address token, address account) external view returns (uint256);

    function isInvalid(uint64 transactionPosition) external view returns (bool);

    /// @dev `time`: when the series was revoked, 0 if it was not.
    function revokedAt(address owner, uint64 epoch) external view returns (uint256 time);
}
