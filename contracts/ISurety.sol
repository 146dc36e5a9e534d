// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILifeboatTypes} from "./ILifeboatTypes.sol";

/// @title What an operator answers for with its own money
/// @notice The operator's bond, data challenges and receipts of one root contract, which creates this contract and takes two words from
/// it: that the bond suffices for submitting, and that a block was not revealed in time.
/// @dev Units as in ILifeboat.sol. Rule numbers refer to docs/spec.md. Whatever is burnt stays here, owed to nobody.
interface ISurety {
    /// @dev A demand to reveal 2^levels leaves from `first` on, as it was made. L1 keeps 200 bits of its hash; DataChallenged carries it
    /// whole. `halved`: an answer is paid half its cost.
    struct DataChallenge {
        uint32 blockNumber;
        uint32 first;
        uint8 levels;
        bool halved;
        uint40 startedAt;
        uint40 blockTime;
        uint32 txCount;
        bytes32 root;
        address challenger;
        uint128 bond;
    }

    /// @dev The operator's promise that the block with this number will be anchored there and hold the transaction at this index.
    struct Receipt {
        bytes32 txHash;
        uint32 blockNumber;
        uint32 index;
        uint32 anchor;
        bytes32 anchorHash;
    }

    /// @dev A receipt as it is given: one of `count` under one signature. `signature`: 64 bytes, EIP-2098, over the EIP-712 struct
    /// ReceiptBatch(bytes32 root,uint32 count) in the root contract's domain.
    struct SignedReceipt {
        Receipt receipt;
        bytes32 root;
        uint32 count;
        uint32 place;
        bytes32[] path;
        bytes signature;
    }

    enum ChallengeState {
        None,
        Open,
        Answered,
        Ended
    }

    event BondPosted(address indexed from, uint256 amount, uint256 bond);
    event BondTaken(address indexed operator, uint256 amount);
    /// @dev `bond`: what is left. Of what was taken a quarter went to the reporter, the rest is burnt.
    event BondSlashed(address indexed reporter, uint256 taken, uint256 bond);
    event DataChallenged(uint256 indexed blockNumber, DataChallenge challenge);
    /// @dev `paid`: to the answerer.
    event DataRevealed(uint256 indexed blockNumber, uint32 indexed first, uint8 indexed levels, address answerer, uint256 paid);
    /// @dev What one answer revealed. In an event so that every watcher has it, with what a fraud proof needs, whoever forwarded the call.
    event LeavesRevealed(
        uint256 indexed blockNumber,
        uint32 first,
        uint8 levels,
        ILifeboatTypes.Transaction[] transactions,
        bytes witnesses,
        bytes32[] path
    );
    /// @dev `isHalt`: it was not answered, and the chain was halted by it; else the block was void already, or too old to be voided.
    event DataChallengeEnded(uint256 indexed blockNumber, uint32 indexed first, uint8 indexed levels, bool isHalt);
    event ReceiptBroken(uint32 indexed blockNumber, uint32 indexed index, bytes32 txHash, address reporter);
    event SuretyCredited(address indexed account, uint256 amount);

    error AnchorNotCanonical(uint256 anchor, bytes32 got, bytes32 want);
    error BondKept(bytes32 reason);
    error BondTooSmall(uint256 got, uint256 want);
    error BlockUnknown(uint256 blockNumber);
    error BlockVoid(uint256 got, uint256 voidFrom);
    error CallRefused(bytes4 selector);
    error ChallengeKnown(uint256 blockNumber, uint256 first, uint256 levels);
    error ChallengeMismatch(uint256 blockNumber, uint256 first, uint256 levels);
    error ChallengeTooLate(uint256 got, uint256 deadline);
    error HeaderMismatch(uint256 blockNumber);
    error NotOperator(address got, address want);
    error NotRevealed(uint256 blockNumber, uint256 first, uint256 levels);
    error NothingToDo();
    error RangeMalformed(uint256 first, uint256 levels, uint256 txCount);
    error ReceiptKept(bytes32 reason);
    error ReceiptKnown(uint256 blockNumber, uint256 index);
    error ReceiptMalformed(bytes32 reason);
    error TooEarly(uint256 got, uint256 after_);
    error TransferFailed(address account);
    error TransactionMalformed(uint256 index);

    /// @notice Adds `msg.value` to the operator's bond. Anyone; only the operator ever gets it back.
    function postBond() external payable;

    /// @notice Gives the bond back to the operator: once the chain is halted, its newest block's time + 2 MEP has passed and no slash is due.
    function takeBond() external returns (uint256 amount);

    /// @notice Demands that leaves of a block be revealed, within DC of the block. Anyone; all of `msg.value` is bond.
    /// @param first Index of the first leaf, a multiple of 2^levels and below the block's txCount.
    /// @param levels At most 5, and at most the tree's height. Each range is challenged once.
    function challengeData(uint32 blockNumber, ILifeboatTypes.Header calldata header, uint32 first, uint8 levels)
        external
        payable;

    /// @notice Reveals a range, within DR of its challenge, even if its block has become void since. Anyone; is paid 1.1 times the cost by formula out of the bonds, or half of
    /// that where many ranges of the block were challenged.
    /// @param first Index of the first leaf that is revealed, a multiple of 2^levels; `levels` at most 6.
    /// @param challenges All of them of one block, and inside what is revealed.
    /// @param transactions Those of the range that the block has.
    /// @param witnesses Of all of them, back to back.
    /// @param path Siblings of the range's subtree from its own level up, those that lie wholly at index >= txCount left out.
    function revealData(
        uint32 first,
        uint8 levels,
        DataChallenge[] calldata challenges,
        ILifeboatTypes.Transaction[] calldata transactions,
        bytes calldata witnesses,
        bytes32[] calldata path
    ) external;

    /// @notice Ends a challenge that nobody answered in DR, and halts the chain at its block if that is in time; or one whose
    /// block has become void. Anyone; the challenger gets its bond back, and the reporter's share of the operator's.
    function endChallenge(DataChallenge calldata challenge) external;

    /// @notice Sends a proof of invalidity on to the root contract, and slashes the bond for it. Anyone.
    /// @param proof The call of one of `ILifeboat`'s six proofs.
    function reportFraud(bytes calldata proof) external;

    /// @notice Slashes for a halt that voided blocks and was not slashed for yet. Anyone.
    function slashForHalt() external;

    /// @notice Slashes for a transaction that was recorded as invalid and not slashed for yet. Anyone.
    function slashForInvalid(uint64 transactionPosition) external;

    /// @notice Slashes for a receipt that L1 contradicts. Anyone, while L1 still knows the receipt's anchor; once for each block and index.
    /// @param header Of the receipt's block, where the chain has it; else not looked at.
    /// @param shown What stands at the receipt's place; not looked at where the header alone contradicts.
    function breakReceipt(
        SignedReceipt calldata signed,
        ILifeboatTypes.Header calldata header,
        ILifeboatTypes.Included calldata shown
    ) external;

    /// @notice Slashes for two receipts that promise one place to different transactions.
    function breakReceipts(SignedReceipt calldata a, SignedReceipt calldata b) external;

    /// @notice Sends `account` what is credited to it. Anyone may call; the money only goes there.
    function withdrawCredit(address account) external returns (uint256 amount);

    /// @notice The least bond of a challenge of this range, at this block's base fee.
    function challengeBond(uint32 blockNumber, uint32 first, uint8 levels) external view returns (uint256 bondWei);

    /// @dev `slashedFrom`: the least halt that was slashed for, 0 for none.
    function surety() external view returns (uint128 bond, uint128 minBond, uint32 slashedFrom);

    /// @dev `challengeHash`: first 25 bytes of keccak256(challenge).
    function challengeRecord(uint32 blockNumber, uint32 first, uint8 levels)
        external
        view
        returns (bytes25 challengeHash, ChallengeState state);

    /// @dev Distinct groups of 64 leaves that were challenged.
    function challengedGroups(uint32 blockNumber) external view returns (uint256 count);

    function isBroken(uint32 blockNumber, uint32 index) external view returns (bool);

    function suretyCredit(address account) external view returns (uint256 amount);
}
