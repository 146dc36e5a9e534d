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
    /// @param place The position that the spend names. It may fall as well where the exit goes through a dispute. For the first piece
    /// against an ordinary exit it is not looked at.
    function dropEvidence(bytes32 outputId, uint64 spend, uint64 place) external;

    /// @notice Takes back a piece of evidence whose transaction was judged not canonical.
    /// @param shown The transaction, at the position `spend`.
    function dropRefuted(bytes32 outputId, uint64 spend, uint64 place, Included calldata shown) external;

    /// @notice Starts a dispute about a completely signed transaction whose inclusion is unknown, and locks its inputs. Anyone; all of
    /// `msg.value` but the exits' bonds is bond (`disputeBond`). One dispute a transaction, ever.
    /// @param proofs For each input what shows that it exists.
    /// @param exits The exits that inputs have (Queued or Ticket), in the order of the inputs.
    /// @param outputs Outputs of the caller's own that leave through the dispute at once, each with a bond of `exitBondWei`; none is fine.
    function startDispute(
        Transaction calldata transaction,
        bytes calldata witnesses,
        InputProof[] calldata proofs,
        Exit[] calldata exits,
        uint256[] calldata outputs,
        uint32 youngHint,
        uint256 exitBondWei
    ) external payable;

    /// @notice Shows another transaction that spends an input of the disputed one, until MEP/2 before the verdict. Anyone; the first who
    /// shows one that was public before the dispute started is paid from the bond.
    /// @param input Index of the shared input in the disputed transaction, `spends` in the competitor.
    /// @param made Where else what made the input is included, if the competitor names the output there; not looked at otherwise.
    /// @param position Where the competitor is included; 0: nowhere, and its other witnesses and `proof` are not looked at.
    function showCompetitor(
        Dispute calldata dispute,
        DisputeInput[] calldata inputs,
        uint256 input,
        Transaction calldata transaction,
        bytes calldata witnesses,
        uint256 spends,
        Place calldata made,
        uint64 position,
        Inclusion calldata proof
    ) external;

    /// @notice Shows where the disputed transaction is included, until MEP/4 before the verdict. Anyone.
    function answerDispute(Dispute calldata dispute, Place calldata place) external;

    /// @notice The one verdict, once `block.timestamp > exitableAt`. Anyone; the starter's bond goes back to it, unless it fell.
    /// @param competitors Included competitors after the first, and `answers` after the first: whatever CompetitorShown and DisputeAnswered
    /// name and nobody has weighed yet. All at once or over several calls; `Running` is returned until the last.
    function decide(
        Dispute calldata dispute,
        DisputeInput[] calldata inputs,
        uint64[] calldata competitors,
        uint64[] calldata answers
    ) external returns (Verdict verdict);

    /// @notice Starts exits of a disputed transaction's outputs, while the dispute runs or after a canonical verdict. The caller is their
    /// owner and posts the bonds (`exitBond` each; `msg.value` is split evenly). They mature like an exit of the transaction's youngest
    /// input and wait for the verdict.
    function startDisputedExits(
        Dispute calldata dispute,
        Transaction calldata transaction,
        uint256[] calldata outputs,
        uint32 youngHint
    ) external payable;

    /// @notice The same for somebody else, by their mandate.
    function startDisputedExitsFor(
        Dispute calldata dispute,
        Transaction calldata transaction,
        uint256[] calldata outputs,
        uint32 youngHint,
        Mandate calldata mandate,
        bytes calldata signature
    ) external payable;

    /// @notice Shows that an exiting output was spent where the exit does not name it: what made it (`madeBy`) is included at `made`, and the
    /// spend names the output there. For exits through a dispute, and for those that name another inclusion.
    function challengeByPlace(
        Exit calldata exit,
        bytes32 madeBy,
        Place calldata made,
        uint64 spend,
        Transaction calldata transaction,
        bytes calldata witnesses,
        Inclusion calldata proof,
        uint256 input
    ) external;

    /// @notice The least bond of a dispute about a transaction with so many inputs, at this block's base fee.
    function disputeBond(uint256 inputs) external view returns (uint256 bondWei);

    /// @notice V1: proves that a transaction of a block, or its witnesses, are malformed. This and the next five: anyone; each records the
    /// transaction as invalid for ever, and until the block's time + MEP halts the chain at its block.
    function proveMalformed(Offence calldata offence) external;

    /// @notice V2: an input names nothing that exists before this place.
    /// @param shown Empty for a deposit, or a place at or after the transaction's own; of an index beyond its block's the header; else the transaction that stands
    /// there.
    function proveInputMissing(Offence calldata offence, uint256 input, InputProof calldata shown) external;

    /// @notice V3: an earlier transaction, wherever it stands, spent the input with its owner's witness.
    function proveDoubleSpend(
        Offence calldata offence,
        uint256 input,
        InputProof calldata shown,
        Offence calldata earlier,
        uint256 earlierInput
    ) external;

    /// @notice V4: an input's witness is not its owner's.
    function proveForged(Offence calldata offence, uint256 input, InputProof calldata shown) external;

    /// @notice V5: inputs and outputs do not add up in some token.
    function proveUnbalanced(Offence calldata offence, InputProof[] calldata shown) external;

    /// @notice V6: an input was locked at or before the block's anchor.
    /// @param exits The output's exit, if it has or had one.
    function proveLocked(Offence calldata offence, uint256 input, InputProof calldata shown, Exit[] calldata exits) external;

    /// @notice V6 by the lock of a mass exit whose entry names the input.
    function proveLockedInBatch(
        Offence calldata offence,
        uint256 input,
        InputProof calldata shown,
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata entry
    ) external;

    /// @notice Ends a chain whose operator was silent for ABANDON_PERIOD. Voids nothing.
    function haltAbandoned() external;

    /// @notice Ends the chain in order. Only the operator. Voids nothing.
    function closeChain() external;

    /// @notice Voids a block and all after it for want of its data, until its time + MEP. Only the surety.
    function haltFrom(uint256 blockNumber, uint256 blockTime) external returns (bool moved);

    /// @notice Whether the operator's bond suffices for submitting. Only the surety.
    function setBonded(bool bonded) external;

    /// @notice Gives exits their turn, oldest first, at most `maxCount` of them. Anyone; the bounties go to the caller.
    /// @dev Pays ETH by a gas-capped call and credits what fails; credits ERC-20 always: no token code runs here.
    function processExits(uint256 maxCount, Turns calldata turns) external returns (uint256 processed);

    /// @notice Pays exits whose turn has passed and that have become payable. Anyone; skips those that are not.
    function settle(Exit[] calldata exits) external returns (uint256 settled);

    /// @notice Frees a place on the line that was given up (`PlaceLeft`), once the line has got there. Anyone.
    function freePlace(address token, uint128 from) external;

    /// @notice Frees what is reserved for an exit that nobody is owed: void, invalid, or spent in a block that is final. The place of an exit
    /// that a verdict cancelled is not freed (`inherit`), its bond is.
    /// @param spend A standing piece of evidence, which names `place`; not looked at where the exit is void, invalid, cancelled by a verdict
    /// or removed by one.
    /// @param shown The header of the evidence's block; all of it where the output is contested, since a transaction that was judged not
    /// canonical is no evidence.
    function release(Exit calldata exit, uint64 spend, uint64 place, Included calldata shown) external;

    /// @notice Pays an output of a disputed transaction out of the place that an input's exit took on the line, once the verdict is canonical:
    /// pro rata per token, each share once. Anyone. Where the output was paid or spent already, its share is freed.
    /// @param exit The output's exit; not looked at where the output was paid or spent.
    function inherit(
        Dispute calldata dispute,
        DisputeInput[] calldata inputs,
        uint256 input,
        Transaction calldata transaction,
        uint256 output,
        Exit calldata exit
    ) external;

    /// @notice Starts a mass exit of outputs of one token: posts a bond (`batchBond`) and names them all. Their owners must want it: until
    /// start + MEP/8 anyone may demand proof of an entry.
    /// @param format Widths of the entries' positions (1 to 7 bytes) and amounts (1 to 16).
    /// @param entries For each output position and amount, positions strictly growing, at most 2^15. An entry that does not agree with what stands at its position names nothing and has no effect.
    /// @param lastBlock Header of the block of the last position; not looked at for block 0.
    function startBatch(
        address token,
        EntryFormat calldata format,
        bytes calldata entries,
        Header calldata lastBlock
    ) external payable returns (bytes32 batchId);

    /// @notice Demands what a delegate's standard exit of the entry would show, with a bond of `demandBond`. Once an entry.
    function demandEntry(Batch calldata batch, Shared calldata shared, BatchEntry calldata entry) external payable;

    /// @notice Answers a demand until start + MEP/4. Anyone; paid out of the demand's bond.
    /// @param mandate The owner's, good at the batch's start for its coordinator; on a halted chain it is not looked at.
    function answerDemand(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata entry,
        BatchOutput calldata shown,
        Mandate calldata mandate,
        bytes calldata signature
    ) external;

    /// @notice Ends a batch that is not locked: because of a demand that nobody answered (half of the batch's bond goes to whoever made it),
    /// or, with 2^32 - 1, because nobody locked it by start + MEP/2 (the bond returns).
    function dissolveBatch(Batch calldata batch, uint32 demanded) external;

    /// @notice Gives a demand's bond back that was open when its batch was dissolved.
    function reclaimDemand(Batch calldata batch, uint32 index) external;

    /// @notice Locks the outputs that the entries name and puts the batch into the queue, later than start + MEP/4 and by start + MEP/2. Anyone.
    function lockBatch(Batch calldata batch, uint32 youngHint) external;

    /// @notice Returns what is left of a batch's bond, MEP after its entries became payable.
    function closeBatch(Batch calldata batch) external;

    /// @notice Pays entries of a batch that had its turn. Anyone, for ever; entries that are paid otherwise are skipped.
    function claimEntries(Batch calldata batch, Shared calldata shared, BatchClaim[] calldata claims)
        external
        returns (uint256 claimed);

    /// @notice Pays one entry less a fee for the coordinator, as far as the owner's mandate allows.
    function claimForFee(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata entry,
        BatchOutput calldata shown,
        Mandate calldata mandate,
        bytes calldata signature,
        uint128 fee
    ) external;

    /// @notice Makes an entry an exit of its own, with the batch's times, lock and place. Anyone, from `lockBatch` on.
    function openEntry(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata entry,
        BatchOutput calldata shown
    ) external;

    /// @notice Shows that outputs named by a batch were spent, until MEP/4 before they are payable. Each spend's input says which. What it
    /// costs comes back out of the bond when the entry is opened.
    function strikeEntries(Batch calldata batch, Shared calldata shared, BatchSpend[] calldata spends)
        external
        returns (uint256 struck);

    /// @notice Takes a strike back whose block became void or whose transaction was proven invalid, until MEP/2 before the batch's
    /// entries are payable. Later the entry has to be opened, and the strike falls as evidence.
    function dropStrike(Batch calldata batch, uint64 position, address signer) external;

    /// @notice After the batch's turn: gives an opened entry its ticket, or removes it where it became void or invalid.
    function placeEntry(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata entry,
        Exit calldata exit
    ) external;

    /// @notice After the batch's turn: lets an exit of the same output, started otherwise and short at its own turn, be paid out of the entry's
    /// place; gives that place to one that a verdict cancelled, for whoever inherits.
    function adoptExit(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata entry,
        BatchOutput calldata shown,
        Exit calldata exit
    ) external;

    /// @notice After the batch's turn: frees the share of an entry that names nothing, or whose output is void, invalid or left otherwise.
    function releaseEntry(
        Batch calldata batch,
        Shared calldata shared,
        BatchEntry calldata entry,
        BatchOutput calldata shown
    ) external;

    /// @notice Sends `account` what is credited to it. Anyone may call; the money only goes there.
    function withdraw(address token, address account) external returns (uint256 amount);

    /// @notice Revokes all mandates of the caller's series `epoch`, at once and for ever.
    function revokeMandates(uint64 epoch) external;

    function revokeMandatesFor(address owner, uint64 epoch, bytes calldata signature) external;

    /// @notice The least bond of a standard exit at this block's base fee.
    function exitBond() external view returns (uint256 bondWei);

    function parameters() external view returns (Parameters memory);

    function operator() external view returns (address);

    /// @notice True for every key that is or was the operator's.
    function wasOperator(address key) external view returns (bool);

    /// @notice The contract that holds the operator's bond (ISurety.sol).
    function surety() external view returns (address);

    function isBonded() external view returns (bool);

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
    /// Of a locked output it is the L1 block of the lock. `evidence`: position of the first standing piece, 0 for none. `running`: disputes
    /// about transactions that spend the output. `contested`: one of them was judged not canonical.
    function exitRecord(bytes32 outputId)
        external
        view
        returns (bytes25 exitHash, ExitState state, uint64 evidence, bool hasMore, bool rewarded, uint256 running, bool contested);

    /// @dev `disputeHash`: first 25 bytes of keccak256(dispute). `answer`: position of the first one, 0 for none. `unweighed`: number of
    /// pieces that `decide` still wants to be named.
    function disputeRecord(bytes32 txHash)
        external
        view
        returns (
            bytes25 disputeHash,
            Verdict verdict,
            uint64 answer,
            bool hasCompetitor,
            bool bondFell,
            uint64 firstCompetitor,
            uint256 unweighed
        );

    /// @dev `from`: where on the token's line the reservation begins; `due` how much it is.
    function ticket(bytes32 outputId) external view returns (uint128 from, uint128 due);

    /// @dev `funded`: deposits and releases so far; `line` everything reserved at a turn so far.
    function totals(address token) external view returns (uint128 funded, uint128 line);

    /// @notice Least bond of a mass exit of so many entries now, in wei.
    function batchBond(uint256 count) external view returns (uint256);

    /// @notice Least bond of a demand about the batch now, in wei.
    function demandBond(bytes32 batchId) external view returns (uint256);

    /// @return state closed: the bond was returned. demands: not answered yet. fund: wei left for the removal of entries.
    function batchRecord(bytes32 batchId)
        external
        view
        returns (BatchState state, bool closed, uint256 demands, uint256 fund);

    /// @return evidence Addresses of the modules.
    function modules()
        external
        view
        returns (address evidence, address disputes, address massExits, address entries);

    function credit(address token, address account) external view returns (uint256);

    function isInvalid(uint64 transactionPosition) external view returns (bool);

    /// @dev `time`: when the series was revoked, 0 if it was not.
    function revokedAt(address owner, uint64 epoch) external view returns (uint256 time);
}
